import type { Command } from "commander";

import { addCommandOptions, runInForeground } from "../foreground.js";
import type { CommandOptions } from "../foreground.js";
import { addVerb } from "../verb.js";
import type { Act } from "../verb.js";

export function addExec(program: Command, act: Act): void {
  const verb = addVerb(
    program,
    "exec <target> <command...>",
    "run a command in a cell (CELL or CELL:UNIT)",
    "henge exec -t redmine/postgres psql",
  );
  addCommandOptions(verb)
    .option("--user <user>", "a name of the cell's /etc/passwd, or a number")
    .option("--cwd <directory>", "absolute, in the cell")
    .action(
      act((context, options: CommandOptions, text: string, words: string[]) =>
        runInForeground(context, options, text, words),
      ),
    );
}
