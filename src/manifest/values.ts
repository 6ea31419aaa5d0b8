// The notations of single values: names, sizes, times, paths, users, ports, commands. One schema each.

import { z } from "zod";

import { isLabel, LABEL_PATTERN } from "../spec/index.js";
import { describe, expected, expectedUntold, quotesHint, suggest } from "./problems.js";

/** A string of one form that may hold a secret: what stands there is not told. */
export function secretNotation(form: RegExp, what: string, hint = quotesHint): z.ZodString {
  const error = expectedUntold(what, hint);
  const other = (input: unknown) => `expected ${what}, got another string${hint(input)}`;
  return z.string({ error }).regex(form, { error: ({ input }) => other(input), abort: true });
}

/** A string of one form; the same words for a wrong type and a wrong form. */
export function notation(
  form: RegExp,
  what: string,
  hint: (input: unknown) => string = quotesHint,
): z.ZodString {
  const error = expected(what, hint);
  return z.string({ error }).regex(form, { error, abort: true });
}

export function wholeNumber(min: number, max: number): z.ZodInt {
  const error = expected(`a whole number from ${String(min)} to ${String(max)}`);
  return z.int({ error }).min(min, { error }).max(max, { error });
}

export const label = notation(
  LABEL_PATTERN,
  "a name of at most 31 characters: a small letter, then small letters, digits or -",
  (input) => (typeof input === "string" && isLabel(input.toLowerCase()) ? lowerCase(input) : ""),
);

function lowerCase(name: string): string {
  return `; did you mean "${name.toLowerCase()}"?`;
}

type Units = Readonly<Record<string, number>>;

const SIZE_UNITS: Units = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };
const TIME_UNITS: Units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/**
 * Bytes, written with a unit. Bounds are in bytes and included.
 * @param word what messages call it
 */
export function size(min: number, max: number, word = "a size") {
  return quantity(SIZE_UNITS, word, min, max, sizeHint);
}

/** Milliseconds, written with a unit. Bounds are in milliseconds and included. */
export function duration(min: number, max: number) {
  return quantity(TIME_UNITS, "a time", min, max, (input) =>
    isAmount(input) ? `; a time has a unit: ${String(input)}s` : "",
  );
}

function quantity(
  units: Units,
  word: string,
  min: number,
  max: number,
  hint: (input: unknown) => string,
) {
  const names = Object.keys(units).join("|");
  const what = `${word} from ${show(units, min)} to ${show(units, max)} (units ${names.replaceAll("|", ", ")})`;
  return notation(new RegExp(`^(0|[1-9][0-9]*)(${names})$`), what, hint).transform(
    (text, context) => {
      const [digits = "", unit = ""] = text.split(/(?<=[0-9])(?=[A-Za-z])/);
      const amount = Number(digits) * (units[unit] ?? NaN);
      if (amount >= min && amount <= max) return amount;
      context.addIssue({ code: "custom", message: `expected ${what}, got ${describe(text)}` });
      return z.NEVER;
    },
  );
}

function show(units: Units, amount: number): string {
  const fitting = Object.entries(units).filter(
    ([, factor]) => amount % factor === 0 && amount >= factor,
  );
  const [name, factor] = fitting.at(-1) ?? Object.entries(units)[0] ?? ["", 1];
  return `${String(amount / factor)}${name}`;
}

function isAmount(input: unknown): boolean {
  return typeof input === "number" && Number.isInteger(input) && input > 0;
}

function sizeHint(input: unknown): string {
  if (isAmount(input)) return `; a size has a unit: ${String(input)}MiB`;
  const [, digits, letter] = /^([0-9]+) ?([KMGTkmgt])i?[Bb]?$/.exec(String(input)) ?? [];
  return letter === undefined ? "" : `; write ${String(digits)}${letter.toUpperCase()}iB`;
}

// Segments that are not empty, `.` or `..`, and hold no control character.
const SEGMENT = String.raw`(?!\.\.?(?:\/|$))[^\/\p{Cc}\p{Surrogate}]+`;
const ABSOLUTE = new RegExp(`^/(?:${SEGMENT}(?:/${SEGMENT})*)?$`, "u");
const KERNELS_OWN = String.raw`(?!\/(?:proc|sys|dev)(?:\/|$))`;
const TARGET = new RegExp(`^${KERNELS_OWN}(?:/${SEGMENT})+$`, "u");
const HOST_PATH = /^(?:\/|\.{0,2}[^/\p{Cc}\p{Surrogate}])[^\p{Cc}\p{Surrogate}]*$/u;

/** An absolute path inside a cell. */
export const cellPath = notation(
  ABSOLUTE,
  "an absolute path without . or .. segments, doubled or trailing slashes",
);

export const TARGET_PATH =
  "an absolute path without . or .. segments, doubled or trailing slashes, " +
  "that is not / nor in /proc, /sys or /dev";

/** Where something is mounted in a cell. */
export const targetPath = notation(TARGET, TARGET_PATH);

/** A unit, seen from a cell. */
export const unitReference = notation(
  /^(?:(?:\.|[a-z][a-z0-9-]{0,30}(?:\/[a-z][a-z0-9-]{0,30}){0,2}):)?[a-z][a-z0-9-]{0,30}$/,
  "UNIT, CELL:UNIT with the cell's path below the root cell, or .:UNIT for one of the root cell",
);

/** A path on the host, absolute or relative to the manifest's directory. */
export const hostPath = notation(HOST_PATH, "a path, absolute or relative to the manifest");

// What systemd takes in its relaxed mode: images have users like `first.last`, `Upper`, `machine$` and `user@domain`.
const USER_NAME = String.raw`(?![-+]?[0-9]+$)(?!\.{1,2}$)(?!\s)[^:\/\p{Cc}\p{Surrogate}]{1,256}(?<!\s)`;
const USER_NUMBER =
  "0|[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]";
const USER = "a user's name, without : and / and no blank at its ends, or a number from 0 to 65535";

/** A user of the cell, by name or number; always text from here on. */
export const user = z
  .union([notation(new RegExp(`^(?:${USER_NAME}|${USER_NUMBER})$`, "u"), USER), userNumber()], {
    error: expected(USER),
  })
  .transform(String);

function userNumber(): z.ZodInt {
  const error = expected(USER);
  return z.int({ error }).min(0, { error }).max(65_535, { error });
}

/** Delivered byte for byte; the kernel ends a string at NUL, and lone surrogates have no bytes. */
export const exactText = secretNotation(/^[^\0\p{Surrogate}]*$/u, "a string without NUL");

const ARGV = "a list of strings: the program's absolute path, then its arguments";
const argvError = expectedUntold(ARGV, (input) =>
  typeof input === "string" ? "; write [/bin/sh, -c, …] for a line of the shell" : "",
);

/** No bound of its own: a manifest's 64 KiB are less than the 128 KiB the kernel takes for one string. */
export const argv = z
  .array(exactText, { error: argvError })
  .min(1, { error: `expected ${ARGV}, got an empty list` })
  .refine(([program]) => program === undefined || ABSOLUTE.test(program), {
    path: [0],
    error: ({ input }) =>
      `expected the program's absolute path, got ${describe((input as readonly unknown[])[0])}`,
  });

export const envName = secretNotation(
  /^[A-Za-z_][A-Za-z0-9_]*$/,
  "the name of an environment variable: letters, digits and _, no digit first",
  (input) => {
    const [, sign] = /^[A-Za-z_][A-Za-z0-9_]*([=:])/.exec(String(input)) ?? [];
    if (sign === ":") return "; put a space after the colon";
    return sign === "=" ? "; write NAME: VALUE" : quotesHint(input);
  },
);

export const port = wholeNumber(1, 65_535);

const OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
const ADDRESS = `${OCTET}(?:\\.${OCTET}){3}`;
const PORT = "[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]";

/** `ADDRESS:PORT`. */
export const socketAddress = notation(
  new RegExp(`^${ADDRESS}:(?:${PORT})$`),
  "IPV4-ADDRESS:PORT with a port from 1 to 65535",
).transform((text) => {
  const [address = "", number = ""] = text.split(":");
  return { address, port: Number(number) };
});

/** `HOSTADDR:HOSTPORT:CELLPORT`, or `HOSTPORT:CELLPORT` on 127.0.0.1. */
export const publishedPort = notation(
  new RegExp(`^(?:${ADDRESS}:)?(?:${PORT}):(?:${PORT})$`),
  "HOSTPORT:CELLPORT or IPV4-ADDRESS:HOSTPORT:CELLPORT with ports from 1 to 65535",
).transform((text) => {
  const parts = text.split(":");
  const [hostPort, cellPort] = parts.slice(-2).map(Number);
  const hostAddress = parts.length === 3 ? String(parts[0]) : "127.0.0.1";
  return { hostAddress, hostPort: hostPort ?? NaN, cellPort: cellPort ?? NaN };
});

/** A word of a fixed list; another word is told the nearest. */
export function oneOf<const Words extends readonly [string, ...string[]]>(words: Words, or = "") {
  return z.enum(words, { error: expected(`${choice(words)}${or}`, wordHint(words)) });
}

/** One of a few words, or a mapping that says more. */
export function wordOrMapping<
  const Words extends readonly [string, ...string[]],
  Mapping extends z.ZodType,
>(words: Words, mapping: Mapping) {
  const error = expected(choice([...words, "a mapping"]), wordHint(words));
  return z.union([z.enum(words, { error }), mapping], { error });
}

function choice(words: readonly string[]): string {
  return words.join(", ").replace(/, ([^,]*)$/, " or $1");
}

function wordHint(words: readonly string[]): (input: unknown) => string {
  return (input) => (typeof input === "string" ? suggest(input, words) : "");
}

const SIGNALS = (
  "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP " +
  "TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS"
).split(" ");
const SIGNAL_WORDS = [...SIGNALS, ...SIGNALS.map((name) => `SIG${name}`)];

/** A signal by its name, with or without SIG; always with it from here on. */
const signal = z
  .enum(SIGNAL_WORDS, { error: expected("a signal such as TERM", wordHint(SIGNAL_WORDS)) })
  .transform((word): `SIG${string}` => `SIG${word.replace(/^SIG/, "")}`);

/** A union whose members share one text, for values that may be of two kinds. */
export function eitherSignalOr<Other extends z.ZodType>(other: Other, what: string) {
  return z.union([signal, other], {
    error: expected(`a signal such as TERM or ${what}`, wordHint(SIGNAL_WORDS)),
  });
}
