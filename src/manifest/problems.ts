// How a manifest's faults are worded and where they point. Decides no rule itself.

import { distance } from "fastest-levenshtein";
import type { z } from "zod";

import type { Problem } from "../errors.js";

/** Keys and indices from the top of the manifest down. */
export type Path = readonly (string | number)[];

/** A text, or how to make it: looking for near words is left until it is known to be shown. */
type Text = string | (() => string);

/** Something wrong with the key or the value at a path. */
export interface Fault {
  readonly path: Path;
  readonly on: "key" | "value";
  readonly text: Text;
}

/** A fault with its place in the text, as an offset in UTF-16 units. */
export interface LocatedFault {
  readonly path: Path;
  readonly offset: number;
  readonly text: Text;
  /** Offset of the thing it repeats. */
  readonly first?: number | undefined;
}

// Bounds the answer: 64 KiB of nonsense must not become megabytes of explanation.
const MAX_PROBLEMS = 100;
const MAX_QUOTED = 60;
// Unlike JSON's own escapes these reach a terminal: C1 controls, line separators, bidirectional overrides.
const UNSAFE = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** Quotes a value of the user's so that it is short, on one line and harmless on a terminal. */
export function quote(text: string): string {
  const short = text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text;
  return JSON.stringify(short).replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A key, as far as it is one: `PASSWORD:hunter2` is a key with its value where a space is missing. */
export function quoteKey(key: string): string {
  const [name = ""] = key.split(/[:=]/);
  return quote(name.length < key.length ? `${name}…` : name);
}

/** `; did you mean "memory"?` when a known word is near, else nothing. */
export function suggest(word: string, known: readonly string[]): string {
  const limit = Math.max(2, Math.floor(word.length / 3));
  // Levenshtein is quadratic: a word of another length class cannot be near anyway.
  const near = known
    .filter((candidate) => Math.abs(candidate.length - word.length) <= limit)
    .map((candidate) => ({
      candidate,
      far: distance(candidate.toLowerCase(), word.toLowerCase()),
    }))
    .filter(({ far }) => far <= limit)
    .sort((a, b) => a.far - b.far)[0];
  return near === undefined ? "" : `; did you mean ${quote(near.candidate)}?`;
}

/** What a value is, in the words of a manifest's author. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (typeof value === "string") return `the string ${quote(value)}`;
  if (typeof value === "number") return `the number ${String(value)}`;
  if (typeof value === "boolean") return String(value);
  return Array.isArray(value) ? "a list" : "a mapping";
}

/** What kind of value it is, without the value. */
function describeKind(value: unknown): string {
  if (typeof value === "string") return "a string";
  if (typeof value === "number") return "a number";
  return typeof value === "boolean" ? "a truth value" : describe(value);
}

type Issue = z.core.$ZodRawIssue;

/** An error map that says what was expected and what stands there instead. */
export function expected(
  what: string,
  hint: (input: unknown) => string = () => "",
): (issue: Issue) => string {
  return ({ input }) =>
    input === undefined
      ? `missing: expected ${what}`
      : `expected ${what}, got ${describe(input)}${hint(input)}`;
}

/** The same for what may be a secret: the value is not told, only its kind. */
export function expectedUntold(
  what: string,
  hint: (input: unknown) => string = () => "",
): (issue: Issue) => string {
  return ({ input }) =>
    input === undefined
      ? `missing: expected ${what}`
      : `expected ${what}, got ${describeKind(input)}${hint(input)}`;
}

/** The hint for values that YAML reads as numbers or truth values though text is meant. */
export function quotesHint(input: unknown): string {
  return typeof input === "number" || typeof input === "boolean" ? "; put it in quotes" : "";
}

/** The texts of issues whose schema brings none of its own. Several unknown fields make several lines. */
export function wordIssue(issue: Issue): string | undefined {
  if (issue.code === "unrecognized_keys") {
    const known = knownFields(issue.inst);
    const allowed = `; allowed: ${known.join(", ")}`;
    return issue.keys
      .map(
        (key) => `unknown field ${quoteKey(key)}${colonHint(key) || suggest(key, known)}${allowed}`,
      )
      .join("\n");
  }
  if (issue.code !== "invalid_type") return undefined;
  const what = TYPES[issue.expected] ?? issue.expected;
  return COLLECTIONS.includes(issue.expected)
    ? expectedUntold(what, colonHint)(issue)
    : expected(what, wordsHint)(issue);
}

/** For `KEY:VALUE`, which YAML reads as one text. */
export function colonHint(input: unknown): string {
  return typeof input === "string" && /^[\w.-]+:[^ ]/.test(input)
    ? "; put a space after the colon"
    : "";
}

/** Whoever leaves out a colon or a dash has written all of it as one text, secrets too. */
const COLLECTIONS: readonly string[] = ["object", "record", "array"];

/** YAML 1.1 had these words for them. */
function wordsHint(input: unknown): string {
  if (typeof input !== "string") return "";
  if (/^(?:yes|on|y)$/i.test(input)) return "; write true";
  return /^(?:no|off|n)$/i.test(input) ? "; write false" : "";
}

const TYPES: Readonly<Record<string, string>> = {
  object: "a mapping",
  record: "a mapping",
  array: "a list",
  string: "a string",
  boolean: "true or false",
};

function knownFields(schema: unknown): readonly string[] {
  const { shape } = (schema as z.core.$ZodObject)._zod.def;
  return Object.keys(shape);
}

/** Flattens a zod issue into faults, one for each unknown field and for the fitting branch of a union. */
export function faultsOf(issue: z.core.$ZodIssue, above: Path = []): readonly Fault[] {
  const path = [...above, ...issue.path.map((part) => (typeof part === "symbol" ? "" : part))];
  if (issue.code === "unrecognized_keys") {
    const texts = issue.message.split("\n");
    return issue.keys.map((key, index) => ({
      path: [...path, key],
      on: "key" as const,
      text: texts[index] ?? issue.message,
    }));
  }
  if (issue.code === "invalid_key") {
    return [{ path, on: "key", text: issue.issues[0]?.message ?? issue.message }];
  }
  const branch = issue.code === "invalid_union" ? fittingBranch(issue.errors) : undefined;
  if (branch !== undefined) return branch.flatMap((inner) => faultsOf(inner, path));
  return [{ path, on: "value", text: issue.message }];
}

// The branch that took the value's kind and form and faults something in it; else the union's own text serves.
function fittingBranch(
  branches: readonly (readonly z.core.$ZodIssue[])[],
): readonly z.core.$ZodIssue[] | undefined {
  return branches.find((issues) =>
    issues.every(
      ({ code, path }) => path.length > 0 || code === "custom" || code === "unrecognized_keys",
    ),
  );
}

/** Under these every value, and what is no name, may be a secret. */
const SECRET_FIELDS: readonly unknown[] = ["env", "headers"];

/** e.g. `cells.web.units.puma.argv[0]`; a key with other characters is shown quoted, in brackets. */
export function formatPath(path: Path): string {
  const odd = path.findIndex(
    (part, index) =>
      SECRET_FIELDS.includes(path[index - 1]) && typeof part === "string" && !/^[\w-]+$/.test(part),
  );
  return (odd < 0 ? path : path.slice(0, odd))
    .map((part) => {
      if (typeof part === "number") return `[${String(part)}]`;
      return /^[\w.-]{1,64}$/.test(part) ? `.${part}` : `[${quoteKey(part)}]`;
    })
    .join("")
    .replace(/^\./, "");
}

/** Sorts by place, keeps the first text about one thing, and turns offsets into lines and columns. */
export function toProblems(text: string, faults: readonly LocatedFault[]): readonly Problem[] {
  const ordered = [...faults].sort((a, b) => a.offset - b.offset);
  const problems = new Map<string, Problem>();
  for (const fault of ordered) {
    const path = formatPath(fault.path);
    const key = `${String(fault.offset)} ${path}`;
    if (problems.has(key)) continue;
    if (problems.size === MAX_PROBLEMS) {
      const rest = `and more: only the first ${String(MAX_PROBLEMS)} problems are shown`;
      return [...problems.values(), { path: "", ...positionOf(text, fault.offset), text: rest }];
    }
    problems.set(key, { path, ...positionOf(text, fault.offset), text: textOf(text, fault) });
  }
  return [...problems.values()];
}

function textOf(text: string, fault: LocatedFault): string {
  const said = typeof fault.text === "string" ? fault.text : fault.text();
  if (fault.first === undefined) return said;
  return `${said} (first at line ${String(positionOf(text, fault.first).line)})`;
}

function positionOf(
  text: string,
  offset: number,
): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: offset - lineStart + 1 };
}
