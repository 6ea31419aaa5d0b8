// Reads the logs of several units as one: what is on file in the order of time, then what comes.

import { watch } from "node:fs";
import { join } from "node:path";

import type { CellName, UnitName } from "../spec/index.js";

import type { LogEntry } from "./log-file.js";
import { LogFile } from "./log-file.js";

export interface LogSource {
  readonly cell: CellName;
  readonly unit: UnitName;
  /** Absolute directory the cell's warden writes to. */
  readonly directory: string;
}

export interface LogRange {
  readonly follow: boolean;
  readonly sinceMs?: number;
  /** Last entries of each unit; all when absent. */
  readonly tail?: number;
  /** These units go on after their cursors, whatever else is asked. */
  readonly after?: readonly UnitCursor[];
}

export interface UnitCursor {
  readonly cell: CellName;
  readonly unit: UnitName;
  readonly cursor: string;
}

export type UnitLogEntry = LogEntry & UnitCursor;

// inotify tells of every write; this only bounds the wait should a watch be lost.
const RECHECK_MS = 1_000;

interface OpenLog {
  readonly source: LogSource;
  readonly file: LogFile;
  /** It goes on after a cursor. */
  readonly goesOn: boolean;
}

/** Until the signal aborts. With `follow`, where each unit's reader is then is told between what is on file and what comes. */
export async function* readLogs(
  sources: readonly LogSource[],
  range: LogRange,
  signal: AbortSignal,
): AsyncGenerator<UnitLogEntry | UnitCursor> {
  const logs = await Promise.all(sources.map((source) => openLog(source, range)));
  try {
    yield* merge(logs.map((log) => readPast(log, range, signal)));
    if (!range.follow || signal.aborted) return;
    for (const { source, file } of logs)
      yield { cell: source.cell, unit: source.unit, cursor: file.cursor };
    yield* followAll(logs, signal);
  } finally {
    await Promise.all(logs.map(({ file }) => file.close()));
  }
}

async function openLog(source: LogSource, { after = [], tail }: LogRange): Promise<OpenLog> {
  const { cell, unit, directory } = source;
  const path = join(directory, `${unit}.log`);
  const cursor = after.find((one) => one.cell === cell && one.unit === unit)?.cursor;
  const file = await LogFile.open(path, cursor);
  if (cursor === undefined && tail !== undefined) await file.skipTo(tail);
  return { source, file, goesOn: cursor !== undefined };
}

async function* readPast(
  { source, file, goesOn }: OpenLog,
  { sinceMs = -Infinity, tail }: LogRange,
  signal: AbortSignal,
): AsyncGenerator<UnitLogEntry> {
  const last: UnitLogEntry[] = [];
  for await (const entry of file.past()) {
    if (signal.aborted) return;
    if (!goesOn && entry.atMs < sinceMs) continue;
    const found = { ...entry, cell: source.cell, unit: source.unit };
    if (goesOn || tail === undefined) {
      yield found;
      continue;
    }
    last.push(found);
    if (last.length > tail) last.shift();
  }
  yield* last;
}

/** Merges iterators that are each in the order of time. */
async function* merge(
  inputs: readonly AsyncGenerator<UnitLogEntry>[],
): AsyncGenerator<UnitLogEntry> {
  const heads = await Promise.all(
    inputs.map(async (input) => ({ input, next: await input.next() })),
  );
  for (;;) {
    let first: (typeof heads)[number] | undefined;
    for (const head of heads) {
      if (head.next.done === true) continue;
      if (
        first === undefined ||
        first.next.done === true ||
        head.next.value.atMs < first.next.value.atMs
      )
        first = head;
    }
    if (first?.next.done !== false) return;
    yield first.next.value;
    first.next = await first.input.next();
  }
}

/** One queue fed by every unit's follower; the slowest reader holds them all back. */
async function* followAll(
  logs: readonly OpenLog[],
  signal: AbortSignal,
): AsyncGenerator<UnitLogEntry> {
  const pending = new Map<number, Promise<{ index: number; next: IteratorResult<LogEntry> }>>();
  const followers = logs.map(({ source, file }) =>
    file.follow(wakerOf(source.directory, signal), signal),
  );
  const pull = (index: number): void => {
    const follower = followers[index];
    if (follower === undefined) return;
    // A file that can no longer be read ends its own follower only.
    const ended = { done: true, value: undefined } as const;
    pending.set(
      index,
      follower.next().then(
        (next) => ({ index, next }),
        () => ({ index, next: ended }),
      ),
    );
  };
  followers.forEach((_, index) => {
    pull(index);
  });
  while (pending.size > 0) {
    const { index, next } = await Promise.race(pending.values());
    pending.delete(index);
    const source = logs[index]?.source;
    if (next.done === true || source === undefined) continue;
    yield { ...next.value, cell: source.cell, unit: source.unit };
    pull(index);
  }
}

function wakerOf(directory: string, signal: AbortSignal): () => Promise<void> {
  let changed = false;
  let wake = (): void => undefined;
  signal.addEventListener("abort", () => {
    wake();
  });
  try {
    const watcher = watch(directory, { signal, persistent: false }, () => {
      changed = true;
      wake();
    });
    watcher.on("error", () => undefined); // the directory went with its cell: the recheck below goes on
  } catch {
    changed = false; // not there yet: the recheck finds it
  }
  return async () => {
    if (!changed && !signal.aborted)
      await new Promise<void>((resolve) => {
        const recheck = setTimeout(resolve, RECHECK_MS);
        wake = () => {
          clearTimeout(recheck);
          resolve();
        };
      });
    changed = false;
  };
}
