// What a user types, as values; each refuses what it cannot use with a USAGE error.

import { HengeError } from "../errors.js";
import { isCellName, isLabel } from "../spec/index.js";

const FACTORS_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const ISO_PATTERN = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?$/;

export interface Target {
  readonly cell: string;
  readonly unit?: string;
}

/** `CELL`, or `CELL:UNIT`. */
export function parseTarget(text: string): Target {
  const cut = text.indexOf(":");
  if (cut < 0) return { cell: parseCell(text) };
  const unit = text.slice(cut + 1);
  if (!isLabel(unit))
    throw usage(`cannot use ${JSON.stringify(text)}: a target is CELL or CELL:UNIT`);
  return { cell: parseCell(text.slice(0, cut)), unit };
}

export function parseCell(text: string): string {
  if (isCellName(text)) return text;
  throw usage(`cannot use ${JSON.stringify(text)}: a cell is named like redmine or redmine/web`);
}

/** How long ago (`90s`, `10m`, `2h`, `1d`) or when (ISO 8601), in ms since 1970. */
export function parseSince(text: string, nowMs: number): number {
  const [, count, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? [];
  if (unit !== undefined)
    return nowMs - Number(count) * FACTORS_MS[unit as keyof typeof FACTORS_MS];
  const at = ISO_PATTERN.test(text) ? Date.parse(text) : Number.NaN;
  if (at >= 0) return at;
  throw usage(
    `cannot use ${JSON.stringify(text)} for --since: give 10m, 2h, 1d, or a time like 2026-11-23T08:00:00Z`,
  );
}

/** Milliseconds of `90s`, `5m`, `2h`, `1d`. */
export function parseDuration(option: string, text: string): number {
  const [, count, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? [];
  const ms = unit === undefined ? 0 : Number(count) * FACTORS_MS[unit as keyof typeof FACTORS_MS];
  if (ms > 0) return ms;
  throw usage(`cannot use ${JSON.stringify(text)} for ${option}: give a time like 90s, 5m or 2h`);
}

/** `ADDRESS:HOSTPORT:CELLPORT`, or `HOSTPORT:CELLPORT` on 127.0.0.1; its numbers are the daemon's to check. */
export function parsePublished(text: string): {
  hostAddress: string;
  hostPort: number;
  cellPort: number;
} {
  const [, address, host, cell] = /^(?:([\d.]+):)?(\d{1,5}):(\d{1,5})$/.exec(text) ?? [];
  if (host !== undefined && cell !== undefined)
    return { hostAddress: address ?? "127.0.0.1", hostPort: Number(host), cellPort: Number(cell) };
  throw usage(
    `cannot use ${JSON.stringify(text)} for --publish: give HOSTPORT:CELLPORT or ADDRESS:HOSTPORT:CELLPORT`,
  );
}

export function parseCount(option: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw usage(`cannot use ${JSON.stringify(text)} for ${option}: give a whole number`);
}

/** `NAME=VALUE` of every `--env`. */
export function parseVariables(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const cut = text.indexOf("=");
      if (cut < 1) throw usage(`cannot use ${JSON.stringify(text)} for --env: give NAME=VALUE`);
      return [text.slice(0, cut), text.slice(cut + 1)];
    }),
  );
}

export function usage(message: string, hint?: string): HengeError {
  return new HengeError("USAGE", message, hint === undefined ? {} : { hint });
}
