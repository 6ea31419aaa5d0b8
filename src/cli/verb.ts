// What all verbs have in common: the options of every verb, an example in the help, and how a verb is run.

import { Option } from "commander";
import type { Command } from "commander";

import type { Context, Form } from "./context.js";

/** Adds the verb; `usage` as commander reads it, e.g. `get <cell>`. */
export function addVerb(
  program: Command,
  usage: string,
  summary: string,
  example: string,
): Command {
  return withCommonOptions(program.command(usage))
    .summary(summary)
    .description(summary)
    .addHelpText("after", `\nExample:\n  ${example}`);
}

export function withCommonOptions(command: Command): Command {
  return command
    .addOption(
      new Option("-o, --output <form>", "form of what is printed").choices(["text", "json"]),
    )
    .addOption(
      new Option(
        "--root <directory>",
        "which daemon: everything it owns is in there (env: HENGE_ROOT)",
      ),
    );
}

export interface CommonOptions {
  readonly output?: Form;
  readonly root?: string;
}

/** Makes commander's action of a verb: its options and arguments are those it declared. */
export type Act = (
  run: (context: Context, options: never, ...args: never[]) => Promise<void>,
) => (...values: unknown[]) => Promise<void>;
