// What a user types as a time, for every option that takes one: how long ago, or when. A time without a zone is local time,
// with hours or without.

import { usage } from "./arguments.js";

const FACTORS_MS = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
} as const;
const AGO_PATTERN = /^(\d{1,9})(ms|s|m|h|d|w)$/;
const DATE = String.raw`(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)`;
const TIME = String.raw`(?<hour>\d\d):(?<minute>\d\d)(?::(?<second>\d\d)(?<fraction>\.\d{1,9})?)?`;
const ZONE = String.raw`Z|(?<sign>[+-])(?<zoneHour>\d\d):?(?<zoneMinute>\d\d)`;
const WHEN_PATTERN = new RegExp(`^${DATE}(?:[T ]${TIME}(?<zone>${ZONE})?)?$`);

/** For the help of every option that takes a time. */
export const TIME_FORMS =
  "10m, 2h, 1d ago, or a time like 2026-11-28 08:00 or 2026-11-28T08:00:00Z";

const ALLOWED =
  'give how long ago (90s, 10m, 2h, 1d), a date (2026-11-28) or a time ("2026-11-28 08:00", ' +
  "2026-11-28T08:00:00Z); without a zone it is local time";

/**
 * @param option that was given it, e.g. `--since`, for the error
 * @returns ms since 1970
 * @throws {HengeError} USAGE
 */
export function parseTime(option: string, text: string, nowMs: number): number {
  const [, count, unit] = AGO_PATTERN.exec(text) ?? [];
  if (unit !== undefined)
    return Math.max(0, nowMs - Number(count) * FACTORS_MS[unit as keyof typeof FACTORS_MS]);
  const groups = WHEN_PATTERN.exec(text)?.groups;
  const at = groups === undefined ? "it is no time" : whenOf(groups);
  if (typeof at === "number") return at;
  throw usage(`cannot use ${JSON.stringify(text)} for ${option}: ${at}; ${ALLOWED}`);
}

/** Milliseconds of `90s`, `5m`, `2h`, `1d`. */
export function parseDuration(option: string, text: string): number {
  const [, count, unit] = AGO_PATTERN.exec(text) ?? [];
  const ms = unit === undefined ? 0 : Number(count) * FACTORS_MS[unit as keyof typeof FACTORS_MS];
  if (ms > 0) return ms;
  throw usage(`cannot use ${JSON.stringify(text)} for ${option}: give a time like 90s, 5m or 2h`);
}

/** @throws {HengeError} USAGE: nothing can be between the two */
export function requireOrder(sinceMs: number | undefined, untilMs: number | undefined): void {
  if (sinceMs === undefined || untilMs === undefined || sinceMs < untilMs) return;
  throw usage("cannot use --since and --until: the first is not before the second");
}

type Groups = Readonly<Record<string, string | undefined>>;

/** Ms since 1970, or why there is no such time. Date.parse takes 30 February for 2 March, and a bare date for UTC. */
function whenOf(groups: Groups): number | string {
  const number = (name: string): number => Number(groups[name] ?? 0);
  const [year, month, day] = [number("year"), number("month"), number("day")];
  const [hour, minute, second] = [number("hour"), number("minute"), number("second")];
  if (!isWithin(month, 1, 12) || !isWithin(day, 1, daysOf(year, month)))
    return "there is no such day";
  if (hour > 23 || minute > 59 || second > 59) return "there is no such time of day";
  if (number("zoneHour") > 14 || number("zoneMinute") > 59) return "there is no such zone";
  const ms = Math.trunc(number("fraction") * 1_000);
  const at =
    groups["zone"] === undefined
      ? new Date(year, month - 1, day, hour, minute, second, ms).getTime()
      : Date.UTC(year, month - 1, day, hour, minute, second, ms) - offsetMs(groups);
  return isWithin(year, 1970, 9999) && at >= 0 ? at : "it is before 1970";
}

function isWithin(value: number, min: number, max: number): boolean {
  return value >= min && value <= max;
}

function offsetMs({ sign, zoneHour, zoneMinute }: Groups): number {
  const minutes = Number(zoneHour ?? 0) * 60 + Number(zoneMinute ?? 0);
  return (sign === "-" ? -1 : 1) * minutes * 60_000;
}

function daysOf(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}
