import type { Command } from "commander";

import type { LogCursor, LogLine, LogsRequest } from "../../api/gen/henge/v1/henge.js";
import { parseCount, parseTarget } from "../arguments.js";
import { attached } from "../attached.js";
import type { Client } from "../client.js";
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
        return readAll(context, request);
      }),
    );
}

/** Each line once, also when the daemon goes away meanwhile: the next one goes on after what was written here. */
async function readAll(
  context: Context,
  request: Omit<LogsRequest, "cursors" | "after">,
): Promise<void> {
  const read = new Map<string, LogCursor>();
  let canGoOn = true;
  const ask = async (daemon: Client): Promise<void> => {
    const lines = daemon.stream("Logs", { ...request, cursors: true, after: [...read.values()] });
    for await (const line of lines) {
      const { cell, unit, cursor } = line;
      if (!line.onlyCursor) await writeOut(context.io.stdout, lineText(line, context));
      if (cursor !== undefined) read.set(`${cell}:${unit}`, { cell, unit, cursor });
      else canGoOn = false; // A daemon older than this client.
    }
  };
  await attached(context, ask, () => canGoOn);
}

function lineText(line: LogLine, { form, io }: Context): string {
  const { cell, unit, atMs, stream, text } = line;
  if (form === "json") return json({ cell, unit, at: iso(atMs), stream, text });
  // A pipe gets what was said; a terminal would obey it.
  return `${cell}:${unit} | ${io.stdout.isTTY === true ? printable(text) : text}\n`;
}
