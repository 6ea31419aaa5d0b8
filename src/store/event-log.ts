// The events of a daemon's root as JSON lines, so that a new daemon goes on where the last one ended, and beside them the
// record of what was told. The record is a checkpoint: it is written before events it stands for are dropped, and what the
// events since say is added when the daemon starts. So neither a kill nor a rotation tells anything twice, or not at all.

import { rename } from "node:fs/promises";

import { HengeError } from "../errors.js";
import type { Event } from "../spec/index.js";
import { openLineLog } from "./line-log.js";
import { readRecord, writeRecord } from "./record.js";
import { Told } from "./told.js";
import type { ToldRecord } from "./told.js";

export interface EventLog {
  /** The last of what was on file when it was opened, oldest first; at most `PAST_MAX`. */
  readonly past: readonly Event[];
  /** What was told by then; it is the caller's to go on with. */
  readonly told: Told;
  /** Why what was on record of it could not be used, in words. */
  readonly doubt?: string;
  /** In the order of the calls. Not synced: an event repeats what wardens and records already keep. */
  append(event: Event): Promise<void>;
  /** Every event that is on file, oldest first. */
  read(): AsyncGenerator<Event>;
  /** Puts on record that no other cells than these are allocated. */
  keepAllocations(cells: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

export interface EventLogPlaces {
  /** Rotated to FILE.1. */
  readonly events: string;
  /** The record of what was told. */
  readonly told: string;
}

export const PAST_MAX = 1_000;
const MAX_BYTES = 4 * 1024 * 1024;
/** One line is far smaller; a longer one is no event. */
const LINE_MAX = 1024 * 1024;

export async function openEventLog(
  places: EventLogPlaces,
  maxBytes: number = MAX_BYTES,
): Promise<EventLog> {
  const { record, doubt } = await readTold(places.told);
  // As far as it is on file: what waits to be written is not told yet should the daemon end now.
  const onFile = new Told(record);
  const writeTold = (): Promise<void> => writeRecord(places.told, onFile.toRecord());
  const lines = await openLineLog({ path: places.events, maxBytes, keep: 1 }, writeTold);
  const past: Event[] = [];
  for await (const event of eventsOf(lines.lines())) {
    onFile.note(event);
    past.push(event);
    if (past.length > PAST_MAX) past.shift();
  }
  return {
    past,
    told: new Told(onFile.toRecord()),
    ...(doubt === undefined ? {} : { doubt }),
    append: async (event) => {
      await lines.append(JSON.stringify(event));
      onFile.note(event);
    },
    read: () => eventsOf(lines.lines()),
    keepAllocations: async (cells) => {
      await lines.sync();
      onFile.keepAllocations(cells);
      await writeTold();
    },
    close: () => lines.close(),
  };
}

/** A record that cannot be used is put aside: without it some of what was told long ago may be told again. */
async function readTold(
  path: string,
): Promise<{ readonly record?: ToldRecord; readonly doubt?: string }> {
  try {
    const record = (await readRecord(path)) as ToldRecord | undefined;
    return record === undefined ? {} : { record };
  } catch (error) {
    if (!(error instanceof HengeError)) throw error;
    await rename(path, `${path}.corrupt`);
    return { doubt: `${error.message}; it is now ${path}.corrupt` };
  }
}

async function* eventsOf(lines: AsyncIterable<string>): AsyncGenerator<Event> {
  for await (const line of lines) {
    const event = line.length > LINE_MAX ? undefined : parseEvent(line);
    if (event !== undefined) yield event;
  }
}

/** Undefined for what a daemon that was killed has left of a line. */
function parseEvent(line: string): Event | undefined {
  try {
    const event: unknown = JSON.parse(line);
    const isEvent = typeof event === "object" && event !== null && "seq" in event;
    return isEvent && Number.isSafeInteger(event.seq) ? (event as Event) : undefined;
  } catch {
    return undefined;
  }
}
