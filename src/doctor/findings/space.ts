// Judges the room that is left, in bytes and in inodes. Pure.

import type { Room } from "../../kernel/port.js";
import type { Finding } from "../port.js";
import { degraded, ok, unfit } from "./verdict.js";

const MIB = 1024 * 1024;

/** Below `low` it is degraded, below `none` unfit. */
export interface Need {
  readonly low: Required<Room>;
  readonly none: Required<Room>;
}

/** Of records, logs and volumes. */
export const DATA_NEED: Need = {
  low: { freeBytes: 2048 * MIB, freeInodes: 10_000 },
  none: { freeBytes: 128 * MIB, freeInodes: 500 },
};
/** Of sockets and the records of wardens: some files of a few bytes for each cell. */
export const RUN_NEED: Need = {
  low: { freeBytes: 16 * MIB, freeInodes: 2_000 },
  none: { freeBytes: MIB, freeInodes: 100 },
};

export function judgeSpace(
  check: string,
  directory: string,
  room: Room,
  need: Need,
  hint: string,
): Finding {
  const inodes = room.freeInodes === undefined ? "" : `, ${String(room.freeInodes)} inodes`;
  const text = `${String(Math.floor(room.freeBytes / MIB))} MiB${inodes} free at ${directory}`;
  if (isShort(room, need.none)) return unfit(check, text, hint);
  return isShort(room, need.low) ? degraded(check, text, hint) : ok(check, text);
}

function isShort(room: Room, least: Required<Room>): boolean {
  return (
    room.freeBytes < least.freeBytes ||
    (room.freeInodes !== undefined && room.freeInodes < least.freeInodes)
  );
}
