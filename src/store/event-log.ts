// The events of a daemon's root as JSON lines, so that a new daemon goes on where the last one ended.

import { open, readFile, rename, stat } from "node:fs/promises";

import type { Event } from "../spec/index.js";
import { createMutex } from "../mutex.js";

export interface EventLog {
  /** What was on file when it was opened, oldest first. */
  readonly past: readonly Event[];
  /** In the order of the calls. Not synced: an event repeats what wardens and records already keep. */
  append(event: Event): Promise<void>;
  close(): Promise<void>;
}

const ROTATE_BYTES = 4 * 1024 * 1024;

export async function openEventLog(path: string): Promise<EventLog> {
  await rotate(path);
  const past = [...(await readEvents(`${path}.1`)), ...(await readEvents(path))];
  const file = await open(path, "a", 0o600);
  const mutex = createMutex();
  return {
    past,
    append: (event) => mutex.run(() => file.appendFile(`${JSON.stringify(event)}\n`)),
    close: () => mutex.run(() => file.close()),
  };
}

async function rotate(path: string): Promise<void> {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size > ROTATE_BYTES) await rename(path, `${path}.1`);
}

async function readEvents(path: string): Promise<Event[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => {
    try {
      return [JSON.parse(line) as Event];
    } catch {
      return []; // the last line of a daemon that was killed while it wrote
    }
  });
}
