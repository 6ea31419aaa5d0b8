// Whether a file of settings says what the cells that are shown it need. What it says is never repeated: of a line that
// cannot be read not even its name, for that may be part of a secret.

import type { SettingsSpec } from "../spec/index.js";

interface Entry {
  readonly line: number;
  /** undefined where it cannot be read. */
  readonly set: { readonly name: string; readonly isEmpty: boolean } | undefined;
  readonly problem?: string;
}

const NAME = /(?:export[ \t][ \t\r]*)?([A-Za-z_][A-Za-z0-9_]*)[ \t\r]*=[ \t\r]*/y;
const BARE_NAME = /(?:export[ \t][ \t\r]*)?[A-Za-z_][A-Za-z0-9_]*[ \t\r]*(?:#|\n|$)/y;
const QUOTED = /(?:"(?:\\[^]|[^"\\])*"|'[^']*')/y;
const REST = /[ \t\r]*(?:#[^\n]*)?(?:\n|$)/y;
const LINE = /[^\n]*(?:\n|$)/y;

/** What is wrong with the file, with line and name, e.g. `line 3: DB_PASS is empty`. @param specs all of one file */
export function settingsProblems(text: string, specs: readonly SettingsSpec[]): readonly string[] {
  const entries = readEntries(text);
  const malformed = entries.flatMap(({ line, problem }) =>
    problem === undefined ? [] : [`line ${String(line)} ${problem}`],
  );
  const found = new Map<string, { readonly line: number; readonly isEmpty: boolean }>();
  for (const { line, set } of entries)
    if (set !== undefined) found.set(set.name, { line, isEmpty: set.isEmpty });
  const needed = new Set(specs.flatMap(({ keys }) => keys));
  const unmet = [...needed].flatMap((name) => {
    const at = found.get(name);
    if (at === undefined) return [`${name} is missing`];
    return at.isEmpty ? [`line ${String(at.line)}: ${name} is empty`] : [];
  });
  const refused = specs.flatMap(({ cell, without }) =>
    without.flatMap((name) => {
      const at = found.get(name);
      return at === undefined ? [] : [`line ${String(at.line)}: ${cell} must not be given ${name}`];
    }),
  );
  return [...malformed, ...unmet, ...refused];
}

/** As the warden reads environment files. The last that sets a name counts. */
function readEntries(file: string): readonly Entry[] {
  // Bytes or text: a byte order mark is three of the one and one of the other.
  const text = file.replace(/^(?:\ufeff|\xef\xbb\xbf)/, "");
  const entries: Entry[] = [];
  let line = 1;
  for (let at = 0; at < text.length;) {
    const { end, ...entry } = readEntry(text, at);
    if (entry.set !== undefined || entry.problem !== undefined) entries.push({ line, ...entry });
    line += text.slice(at, end).split("\n").length - 1;
    at = end;
  }
  return entries;
}

function readEntry(text: string, from: number): Omit<Entry, "line"> & { readonly end: number } {
  const start = from + (take(/[ \t\r]*/y, text, from)?.[0].length ?? 0);
  const end = start + (take(LINE, text, start)?.[0].length ?? 0);
  const line = text.slice(start, end);
  if (/^(?:\n|#|$)/.test(line)) return { end, set: undefined };
  if (line.includes("\0")) return { end, set: undefined, problem: "holds a NUL byte" };
  const [head, name] = take(NAME, text, start) ?? [];
  if (head === undefined || name === undefined) {
    const isBare = take(BARE_NAME, text, start) !== undefined;
    const problem = isBare ? "is a name without a value; write NAME=VALUE" : "is not NAME=VALUE";
    return { end, set: undefined, problem };
  }
  const value = start + head.length;
  if (/["']/.test(text.charAt(value))) return readQuoted(text, value, name, end);
  return { end, set: { name, isEmpty: /^(?:#|\n|$)/.test(text.slice(value, value + 1)) } };
}

/** @param end of its first line, where to go on when it is malformed */
function readQuoted(text: string, value: number, name: string, end: number) {
  const quoted = take(QUOTED, text, value)?.[0];
  if (quoted === undefined)
    return { end, set: undefined, problem: "opens a quote that is never closed" };
  const rest = take(REST, text, value + quoted.length)?.[0];
  if (rest === undefined)
    return { end, set: undefined, problem: "has something behind its closing quote" };
  const after = value + quoted.length + rest.length;
  return { end: after, set: { name, isEmpty: quoted.length === 2 } };
}

function take(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}
