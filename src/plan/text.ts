// Sizes, times and lists as a person reads them in a reason.

import { SIZES } from "../spec/index.js";

/** Exact: the largest unit that leaves no rest, e.g. 512MiB, 1000B. */
export function formatBytes(bytes: number): string {
  const fit = SIZES.find(([, size]) => bytes >= size && bytes % size === 0);
  return fit === undefined ? `${String(bytes)}B` : `${String(bytes / fit[1])}${fit[0]}`;
}

const TIMES = [
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
] as const;

/** Exact: the largest unit that leaves no rest, e.g. 2m, 90s, 500ms. */
export function formatMs(ms: number): string {
  const fit = TIMES.find(([, size]) => ms >= size && ms % size === 0);
  return fit === undefined ? `${String(ms)}ms` : `${String(ms / fit[1])}${fit[0]}`;
}

const SHOWN = 3;

/** The first few, and how many more there are. */
export function formatList(items: readonly string[]): string {
  const more = items.length - SHOWN;
  const shown = items.slice(0, SHOWN).join(", ");
  return more > 0 ? `${shown} and ${String(more)} more` : shown;
}
