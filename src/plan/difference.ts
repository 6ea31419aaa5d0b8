// What differs between a spec as wanted and as it runs, field by field, in the manifest's words. Values that may be
// secrets (environments, probe headers) are never shown.

import type { BoundarySpec, UnitSpec } from "../spec/index.js";

import { formatBytes, formatMs } from "./text.js";
import { whatTakes } from "./unit-fields.js";
import type { Takes } from "./unit-fields.js";

/** Those that take a new run, e.g. `argv[2] "a" → "b"`, `env.RAILS_ENV changed`. */
export function restartDifferences(seen: UnitSpec, wanted: UnitSpec): readonly string[] {
  return compareUnits(seen, wanted, "restart");
}

/** Those that do not, e.g. `liveness.interval 5s → 10s`. */
export function liveDifferences(seen: UnitSpec, wanted: UnitSpec): readonly string[] {
  return compareUnits(seen, wanted, "live");
}

function compareUnits(seen: UnitSpec, wanted: UnitSpec, takes: Takes): readonly string[] {
  const only = (spec: UnitSpec): Fields =>
    Object.fromEntries(
      Object.entries(spec).filter(([field]) => whatTakes(field, seen, wanted) === takes),
    );
  return compareRecords("", only(seen), only(wanted));
}

/** e.g. `image digest changed`, `hostname "a" → "b"`. */
export function boundaryDifferences(seen: BoundarySpec, wanted: BoundarySpec): readonly string[] {
  return compare("", seen, wanted).map((text) =>
    text.startsWith("root.digest ") ? "image digest changed" : text,
  );
}

const SECRET_FIELDS = new Set(["env", "headers"]);
const LONGEST_SHOWN = 40;
/** An argument that says a secret, or is one: `--token=…`, what stands behind `--password`, `redis://:…@host`. */
const SECRET_WORD = /pass(?:word|wd|phrase)?|secret|token|api-?_?key|credential/i;
const USER_IN_URL = /:\/\/[^/\s]*:[^/\s]*@/;

function compare(path: string, seen: unknown, wanted: unknown): readonly string[] {
  if (seen === wanted) return [];
  if (Array.isArray(seen) && Array.isArray(wanted)) return compareLists(path, seen, wanted);
  if (isRecord(seen) && isRecord(wanted)) return compareRecords(path, seen, wanted);
  return [describeChange(path, seen, wanted)];
}

function compareLists(
  path: string,
  seen: readonly unknown[],
  wanted: readonly unknown[],
): string[] {
  const length = Math.max(seen.length, wanted.length);
  return Array.from({ length }, (_, index): readonly string[] => {
    const place = `${path}[${String(index)}]`;
    if (seen[index] === wanted[index]) return [];
    return [seen, wanted].some((list) => isSecret(list[index - 1], list[index]))
      ? [`${place} ${verb(seen[index], wanted[index])}`]
      : compare(place, seen[index], wanted[index]);
  }).flat();
}

function isSecret(before: unknown, text: unknown): boolean {
  if (typeof text !== "string") return false;
  const follows = typeof before === "string" && before.startsWith("-") && SECRET_WORD.test(before);
  return follows || SECRET_WORD.test(text) || USER_IN_URL.test(text);
}

function compareRecords(path: string, seen: Fields, wanted: Fields): readonly string[] {
  // Another kind has other fields: to name them all would say nothing more.
  if (seen["kind"] !== wanted["kind"]) {
    return [describeChange(join(path, "kind"), seen["kind"], wanted["kind"])];
  }
  return fieldsOf(seen, wanted).flatMap((field) =>
    SECRET_FIELDS.has(field)
      ? compareSecrets(join(path, field), seen[field] as Fields, wanted[field] as Fields)
      : compare(join(path, field), seen[field], wanted[field]),
  );
}

function compareSecrets(path: string, seen: Fields, wanted: Fields): readonly string[] {
  return fieldsOf(seen, wanted)
    .filter((name) => seen[name] !== wanted[name])
    .map((name) => `${path}.${name} ${verb(seen[name], wanted[name])}`);
}

function describeChange(path: string, seen: unknown, wanted: unknown): string {
  const name = path.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const values = [seen, wanted].map((value) => describeValue(path, value));
  if (values.includes(undefined)) return `${shortName(name)} ${verb(seen, wanted)}`;
  return `${shortName(name)} ${values.join(" → ")}`;
}

/** undefined for what is too long to show or has parts. */
function describeValue(path: string, value: unknown): string | undefined {
  if (value === undefined) return "none";
  if (typeof value === "object") return undefined;
  if (typeof value === "string" && value.length > LONGEST_SHOWN) return undefined;
  if (typeof value !== "number") return JSON.stringify(value);
  if (/(^|\.)ms$|Ms$/.test(path)) return formatMs(value);
  if (path.endsWith("Bytes")) return formatBytes(value);
  return path.endsWith(".mode") ? `0${value.toString(8)}` : String(value);
}

// The manifest's names have no units: start-timeout, backoff-min, max-size.
function shortName(name: string): string {
  return name.replace(/max-bytes$/, "max-size").replace(/(-ms|-bytes)$/, "");
}

function verb(seen: unknown, wanted: unknown): string {
  if (seen === undefined) return "added";
  return wanted === undefined ? "removed" : "changed";
}

type Fields = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fieldsOf(seen: Fields, wanted: Fields): readonly string[] {
  return [...new Set([...Object.keys(seen), ...Object.keys(wanted)])];
}

function join(path: string, field: string): string {
  return path === "" ? field : `${path}.${field}`;
}
