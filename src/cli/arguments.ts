// What a user types, as values; each refuses what it cannot use with a USAGE error.

import { HengeError } from "../errors.js";
import { isCellName, isLabel } from "../spec/index.js";

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
