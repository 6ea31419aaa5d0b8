// A command line that cannot be read: what is wrong with it, in words, and how the verb is written.

import type { Command, CommanderError } from "commander";
import { distance } from "fastest-levenshtein";

import type { HengeError } from "../errors.js";
import { usage } from "./arguments.js";

const MORE = "henge --help tells what each verb does";

/** How the verb of a command line is written, e.g. `henge up [options] <file>`. */
export function usageLine(program: Command, argv: readonly string[]): string {
  const verb = findVerb(program, argv);
  return verb === undefined
    ? `${program.name()} VERB [options]`
    : `${program.name()} ${verb.name()} ${verb.usage()}`;
}

export function wordCommanderError(
  error: CommanderError,
  program: Command,
  argv: readonly string[],
): HengeError {
  const verb = findVerb(program, argv);
  const hint =
    verb === undefined ? MORE : `henge ${verb.name()} --help tells more, with an example`;
  const message = error.message.replace(/^error: /, "").replaceAll("\n", " ");
  const [, missing] = /^missing required argument '(.*)'$/.exec(message) ?? [];
  if (missing !== undefined) return usage(`missing argument: <${missing}>`, hint);
  if (error.code === "commander.help") return usage(`missing verb; ${verbList(program)}`, MORE);
  if (error.code !== "commander.unknownCommand") return usage(message, hint);
  const word = wordsOf(argv)[0] ?? "";
  const near = nearest(word, namesOf(program));
  const meant = near === undefined ? "" : `; did you mean ${near}?`;
  return usage(`unknown verb ${JSON.stringify(word)}${meant}`, `${verbList(program)}; ${MORE}`);
}

function verbList(program: Command): string {
  return `the verbs are ${namesOf(program).join(", ")}`;
}

function namesOf(program: Command): readonly string[] {
  return program.commands.map((command) => command.name());
}

function findVerb(program: Command, argv: readonly string[]): Command | undefined {
  const [word] = wordsOf(argv);
  return program.commands.find((command) => command.name() === word);
}

/** Without the options that may stand before the verb, and their values. */
function wordsOf(argv: readonly string[]): readonly string[] {
  const start = argv.findIndex(
    (word, index) =>
      !word.startsWith("-") && !["-o", "--output", "--root"].includes(argv[index - 1] ?? ""),
  );
  return start < 0 ? [] : argv.slice(start);
}

function nearest(word: string, names: readonly string[]): string | undefined {
  const most = Math.max(2, Math.floor(word.length / 3));
  return names
    .filter((name) => Math.abs(name.length - word.length) <= most)
    .map((name) => ({ name, far: distance(name, word.toLowerCase()) }))
    .filter(({ far }) => far <= most)
    .sort((a, b) => a.far - b.far)[0]?.name;
}
