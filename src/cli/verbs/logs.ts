import type { Command } from "commander";

import type { LogLine } from "../../api/gen/henge/v1/henge.js";
import { parseCount, parseTarget } from "../arguments.js";
import type { Context } from "../context.js";
import { writeOut } from "../io.js";
import { iso, json, printable } from "../text.js";
import { TIME_FORMS, parseTime } from "../times.js";
import { addVerb } from "../verb.js";
import type { Act } from "../verb.js";

interface LogsOptions {
  readonly follow?: boolean;
  readonly since?: string;
  readonly tail?: string;
}

export function addLogs(program: Command, act: Act): void {
  addVerb(
    program,
    "logs <target>",
    "print what units said (CELL or CELL:UNIT)",
    "henge logs -f --tail 20 redmine/web",
  )
    .option("-f, --follow", "go on with what they say from now on")
    .option("--since <when>", `from then on: ${TIME_FORMS}`)
    .option("--tail <lines>", "only the last lines of each unit")
    .action(
      act((context, options: LogsOptions, text: string) => {
        const request = {
          target: parseTarget(text),
          follow: options.follow ?? false,
          sinceMs:
            options.since === undefined
              ? undefined
              : parseTime("--since", options.since, Date.now()),
          tail: options.tail === undefined ? undefined : parseCount("--tail", options.tail),
        };
        return context.withDaemon(async (daemon) => {
          for await (const line of daemon.stream("Logs", request)) {
            await writeOut(context.io.stdout, lineText(line, context));
          }
        });
      }),
    );
}

function lineText(line: LogLine, { form, io }: Context): string {
  const { cell, unit, atMs, stream, text } = line;
  if (form === "json") return json({ cell, unit, at: iso(atMs), stream, text });
  // A pipe gets what was said; a terminal would obey it.
  return `${cell}:${unit} | ${io.stdout.isTTY === true ? printable(text) : text}\n`;
}
