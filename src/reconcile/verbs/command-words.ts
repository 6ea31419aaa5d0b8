// What of a command line may be written down: its program and the words that name what it does.

const MOST = 4;
// No `=` and no `@`, so that neither NAME=VALUE nor a URL with a password in it is such a word.
const WORD = /^[A-Za-z0-9_./:-]{1,80}$/;

/** The first words, up to an option or a word of any other form: a value may be a secret. */
export function nameWords(argv: readonly string[]): string {
  const [program = "", ...rest] = argv.slice(0, MOST);
  const stop = rest.findIndex((word) => word.startsWith("-") || !WORD.test(word));
  const names = stop < 0 ? rest : rest.slice(0, stop);
  return [WORD.test(program) ? program : JSON.stringify(program), ...names].join(" ");
}
