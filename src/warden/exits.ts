// The exit records a warden leaves on disk: one line per exit, `seq unit pid wait-status ms`, rotated once.

import { readFile } from "node:fs/promises";
import { constants } from "node:os";
import { join } from "node:path";

import { KernelError, errnoOf } from "../errors.js";
import type { ExitStatus, UnitName } from "../spec/index.js";
import type { WardenEvent } from "./port.js";

export type ExitEvent = Extract<WardenEvent, { kind: "exit" }>;

const SIGNAL_NAMES = new Map<number, string>();
for (const [name, number] of Object.entries(constants.signals)) {
  if (!SIGNAL_NAMES.has(number)) SIGNAL_NAMES.set(number, name);
}

/** EXIT_OUT_OF_MEMORY of exits.h, beyond the 16 bits of wait(2). */
const OUT_OF_MEMORY = 0x10000;

/** A wait(2) status, and what the warden adds to it, in words. */
export function exitStatusOf(waitStatus: number, atMs: number): ExitStatus {
  const signal = waitStatus & 0x7f;
  if (signal === 0) return { code: (waitStatus >> 8) & 0xff, atMs };
  const name = SIGNAL_NAMES.get(signal) ?? `SIG${String(signal)}`;
  return {
    signal: name,
    ...((waitStatus & OUT_OF_MEMORY) === 0 ? {} : { outOfMemory: true }),
    atMs,
  };
}

/** One line; undefined for one that a crash of the host cut short. */
export function parseExitLine(line: string): ExitEvent | undefined {
  const match = /^(\d+) ([a-z][a-z0-9-]*) (\d+) (\d+) (\d+)$/.exec(line);
  if (match === null) return undefined;
  const [seq, pid, status, atMs] = [match[1], match[3], match[4], match[5]].map(Number);
  if (seq === undefined || pid === undefined || status === undefined || atMs === undefined)
    return undefined;
  return { kind: "exit", unit: match[2] as UnitName, pid, seq, exit: exitStatusOf(status, atMs) };
}

/** Exits later than `seq`, oldest first. */
export async function readExits(
  stateDirectory: string,
  seq: number,
): Promise<readonly ExitEvent[]> {
  const texts = [
    await readText(join(stateDirectory, "exits.1")),
    await readText(join(stateDirectory, "exits")),
  ];
  const events = new Map<number, ExitEvent>();
  for (const line of texts.join("").split("\n")) {
    const event = parseExitLine(line);
    // A map: a rotation between the two reads shows the same lines twice.
    if (event !== undefined && event.seq > seq) events.set(event.seq, event);
  }
  return [...events.values()].sort((a, b) => a.seq - b.seq);
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return "";
    throw new KernelError("read", errnoOf(error), { path, cause: error });
  }
}
