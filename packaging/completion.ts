// The words of henge's completion for bash: verbs, options and what they take, as the program has them. What is done with
// them is in henge.bash, which follows them in the installed file.

import type { CommandWords } from "./words.js";

/** Bash arrays: the options of each verb, its arguments, and what each option takes; the program itself has no name. */
export function completionWords(program: CommandWords): string {
  const commands = [{ ...program, name: "" }, ...program.verbs];
  const options = commands.map(({ name, options: all }): Entry => [
    name,
    all.flatMap(({ short, long }) => [short ?? [], long].flat()),
  ]);
  const values = commands.flatMap(({ name, options: all }) =>
    all
      .filter(({ value }) => value !== undefined)
      .flatMap(({ short, long, value = "", choices }) =>
        [short ?? [], long]
          .flat()
          .map((flag): Entry => [`${name} ${flag}`, choices.length > 0 ? choices : [`<${value}>`]]),
      ),
  );
  const takes = program.verbs.map(({ name, takes: all }): Entry => [
    name,
    all.map((word) => `<${word}>`),
  ]);
  return [
    "# Completion of henge(1) for bash: the words are the program's own.",
    `declare -g _henge_verbs="${program.verbs.map(({ name }) => name).join(" ")}"`,
    bashArray("_henge_options", options),
    bashArray("_henge_values", values),
    bashArray("_henge_takes", takes),
    "",
  ].join("\n");
}

type Entry = readonly [key: string, words: readonly string[]];

/** A key of bash is not empty, so each begins with a space. */
function bashArray(name: string, entries: readonly Entry[]): string {
  const lines = entries.map(([key, words]) => `\t[" ${key}"]="${words.join(" ")}"\n`);
  return `declare -gA ${name}=(\n${lines.join("")})`;
}
