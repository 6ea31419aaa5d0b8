import type { Command } from "commander";

import type { Finding, Finding_Level } from "../../api/gen/henge/v1/henge.js";
import { printable, table } from "../text.js";
import { addVerb } from "../verb.js";
import type { Act } from "../verb.js";

const EXITS: Record<Finding_Level, number> = { ok: 0, degraded: 1, unfit: 2 };

export function addDoctor(program: Command, act: Act): void {
  addVerb(
    program,
    "doctor",
    "tell what this host lacks; exits 0 when nothing, 1 when degraded, 2 when unfit",
    "henge doctor",
  ).action(
    act((context) =>
      context.withDaemon(async (daemon) => {
        const { findings } = await daemon.call("Doctor", {});
        const shown = findings.map(({ check, level, text, hint }) => ({
          check,
          level,
          text,
          hint: hint ?? null,
        }));
        context.print(shown, () => findingsText(findings));
        context.exitWith(Math.max(0, ...findings.map(({ level }) => EXITS[level])));
      }),
    ),
  );
}

function findingsText(findings: readonly Finding[]): string {
  const rows = findings.map(({ level, check, text }) => [level, check, text]);
  const hints = findings.flatMap(({ check, hint }) =>
    hint === undefined ? [] : [`${check}: ${hint}`],
  );
  const shown = hints.map((hint) => `${printable(hint)}\n`);
  return (
    table(["LEVEL", "CHECK", "FOUND"], rows) + (shown.length === 0 ? "" : `\n${shown.join("")}`)
  );
}
