// What a manifest may say of a budget, and where in a server's argv its limit is found.

import { z } from "zod";

import { exactText, notation, unitReference, wholeNumber } from "./values.js";

const MOST = 2 ** 31 - 1;

const option = notation(
  /^[A-Za-z0-9_.-]{1,64}$/,
  "an option as it stands in argv, such as --max_connections",
);

const oneOffs = z.strictObject({
  "at-once": wholeNumber(1, 1_000).describe("How many `henge run` may run at a time."),
  each: wholeNumber(1, MOST).describe("How much one of them takes at most."),
});

export const budget = z.strictObject({
  limit: wholeNumber(0, MOST)
    .optional()
    .describe("How much of it there is. Default: what `option` says."),
  unit: unitReference.optional().describe("The unit that gives it, as in `after`."),
  option: option.optional().describe("Option in that unit's argv that sets the limit."),
  reserved: wholeNumber(0, MOST).prefault(0).describe("Part of the limit that is nobody's."),
  "one-offs": oneOffs.optional().describe("Kept for what `henge run` runs."),
  descriptors: z
    .boolean()
    .prefault(false)
    .describe("Each takes a descriptor of the unit, whose nofile must be enough for the limit."),
  expects: z
    .record(option, exactText)
    .prefault({})
    .describe("Options that unit's argv must have, with their values."),
});

export type BudgetFields = z.output<typeof budget>;

/** What one unit takes of each budget. */
export const uses = z.record(z.string(), wholeNumber(1, MOST));

/** The last value an option is given, as `OPTION=VALUE` or `OPTION VALUE`. */
export function readOption(argv: readonly string[], name: string): string | undefined {
  return argv
    .flatMap((word, index) => {
      if (word === name) return [argv[index + 1] ?? ""];
      return word.startsWith(`${name}=`) ? [word.slice(name.length + 1)] : [];
    })
    .at(-1);
}
