import type { Command } from "commander";

import { addCommandOptions, runInForeground } from "../foreground.js";
import type { CommandOptions } from "../foreground.js";
import { addVerb } from "../verb.js";
import type { Act } from "../verb.js";

export function addRun(program: Command, act: Act): void {
  const verb = addVerb(
    program,
    "run <target> <command...>",
    "run a one-off as a unit would (CELL or CELL:UNIT), within its budgets and audited",
    "henge run mastodon/web -- bin/tootctl accounts modify alice --role Owner",
  );
  addCommandOptions(verb).action(
    act((context, options: CommandOptions, text: string, words: string[]) =>
      runInForeground(context, { ...options, oneOff: true }, text, words),
    ),
  );
}
