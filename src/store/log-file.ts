// Reads one unit's log as its warden writes it: lines of the CRI log format, in files rotated by size. A cursor says after
// which line a reader is, to whoever reads on from there, also in another daemon.

import { stat } from "node:fs/promises";

import { HengeError } from "../errors.js";
import { LogPart } from "./log-part.js";
import type { Line } from "./log-part.js";

export interface LogEntry {
  readonly atMs: number;
  readonly stream: "stdout" | "stderr" | "henge";
  readonly text: string;
  /** Of a reader who has read it. */
  readonly cursor: string;
}

const HEAD = /^(\S+) (stdout|stderr|henge) ([PF]) /;
const HEAD_BYTES = 64;

/** Before the first line. */
const BEGINNING = "0";
/** The first line's time of the file, where in it the next line is, and how many entries from there on are read. */
const CURSOR = /^(\S{1,64})\+(\d{1,15})\+(\d{1,15})$/;

const GAP = "lines may be missing here: the log was rotated away before they were read";

/** A line that was written in parts, of which the last is still to come. */
interface Unfinished {
  readonly parts: Buffer[];
  /** Where its first part is. */
  readonly at: string;
  /** Entries that ended since. */
  ended: number;
}

/** A log from its oldest rotated file on. Read `past` to its end, then `follow`: nothing is missed between the two. */
export class LogFile {
  private readonly path: string;
  /** Those not read to their end, oldest first; the last one may grow. */
  private parts: LogPart[];
  private readonly unfinished = new Map<LogEntry["stream"], Unfinished>();
  private readUpTo: string;
  /** Entries to come that were read before. */
  private known: number;
  private hasGap: boolean;

  private constructor(path: string, parts: LogPart[], readUpTo: string, known = 0, hasGap = false) {
    this.path = path;
    this.parts = parts;
    this.readUpTo = readUpTo;
    this.known = known;
    this.hasGap = hasGap;
  }

  /**
   * @param path of the current file; rotated ones are beside it as `.1` (the newest) and up
   * @param cursor goes on after it; where its file is no longer there, with the oldest there is
   * @throws {HengeError} INVALID_REQUEST: it is no cursor
   */
  static async open(path: string, cursor: string = BEGINNING): Promise<LogFile> {
    const [, file, offset, known] = CURSOR.exec(cursor) ?? [];
    if (file === undefined && cursor !== BEGINNING)
      throw new HengeError("INVALID_REQUEST", `cannot go on after ${JSON.stringify(cursor)}`);
    const { parts } = await LogPart.openAll(path);
    if (file === undefined) return new LogFile(path, parts, cursor);
    for (const [index, part] of parts.entries()) {
      if (!(await part.begin(file, Number(offset)))) continue;
      await closeAll(parts.splice(0, index));
      return new LogFile(path, parts, cursor, Number(known));
    }
    return new LogFile(path, parts, cursor, 0, true);
  }

  /** Leaves out what cannot be among the last entries: a full log takes seconds to read. Before anything was read. */
  async skipTo(count: number): Promise<void> {
    // After the end of the one before them the first of them begins.
    let missing: number | undefined = count + 1;
    for (let index = this.parts.length - 1; index > 0 && missing !== undefined; index -= 1) {
      missing = await this.parts[index]?.beginAtLast(missing);
      if (missing === undefined) await closeAll(this.parts.splice(0, index));
    }
    if (missing !== undefined) await this.parts[0]?.beginAtLast(missing);
  }

  /** After the last entry that was read. */
  get cursor(): string {
    return this.readUpTo;
  }

  /** Entries written by now, oldest first. */
  async *past(): AsyncGenerator<LogEntry> {
    for (;;) {
      const [part] = this.parts;
      if (part !== undefined) yield* this.entriesOf(part);
      if (this.parts.length <= 1) return;
      await this.parts.shift()?.close();
    }
  }

  /** Entries as they come, across rotations, until the signal aborts. @param wake resolves when there may be more */
  async *follow(wake: () => Promise<void>, signal: AbortSignal): AsyncGenerator<LogEntry> {
    while (!signal.aborted) {
      yield* this.past();
      const [current] = this.parts;
      const { parts, isWhole } = await this.openNext(current);
      if (parts.length === 0) {
        await wake();
        continue;
      }
      // What came between the last look and the rotation is still in the old file.
      if (current !== undefined) yield* this.entriesOf(current);
      // Of a log without rotated files nobody can tell.
      this.hasGap ||= !isWhole && parts.length > 1;
      this.parts = parts;
      await current?.close();
    }
  }

  async close(): Promise<void> {
    await closeAll(this.parts);
  }

  /** The files after `current`: more than one when it was rotated more often than anybody looked. */
  private async openNext(
    current: LogPart | undefined,
  ): Promise<{ readonly parts: LogPart[]; readonly isWhole: boolean }> {
    const inode = await stat(this.path).then(
      (found) => found.ino,
      () => undefined,
    );
    if (inode === undefined || inode === current?.inode) return { parts: [], isWhole: true };
    return LogPart.openAll(this.path, current?.inode);
  }

  private async *entriesOf(part: LogPart): AsyncGenerator<LogEntry> {
    for await (const line of part.lines()) {
      const entry = this.take(line, part);
      if (entry === undefined) continue;
      if (this.known > 0) {
        this.known -= 1;
        continue;
      }
      if (this.hasGap) yield { ...entry, stream: "henge", text: GAP };
      this.hasGap = false;
      yield entry;
    }
  }

  /** Undefined for what is no line of a log, and for one that goes on. */
  private take({ bytes, offset }: Line, part: LogPart): LogEntry | undefined {
    const [head, at = "", name, flag] = HEAD.exec(bytes.toString("latin1", 0, HEAD_BYTES)) ?? [];
    if (head === undefined) return undefined;
    const stream = name as LogEntry["stream"];
    const text = bytes.subarray(head.length);
    const before = this.unfinished.get(stream);
    if (flag === "P") {
      if (before === undefined)
        this.unfinished.set(stream, { parts: [Buffer.from(text)], at: part.at(offset), ended: 0 });
      else before.parts.push(Buffer.from(text));
      return undefined;
    }
    this.unfinished.delete(stream);
    for (const line of this.unfinished.values()) line.ended += 1;
    this.readUpTo = this.cursorAfter(part.at(offset + bytes.length + 1));
    // A character of several bytes may be in two parts.
    const whole = before === undefined ? text : Buffer.concat([...before.parts, text]);
    return { atMs: Date.parse(at), stream, text: whole.toString("utf8"), cursor: this.readUpTo };
  }

  /** Who goes on needs the oldest line again that has not ended, and not the entries that ended since. */
  private cursorAfter(here: string): string {
    const [oldest] = this.unfinished.values();
    return oldest === undefined ? `${here}+0` : `${oldest.at}+${String(oldest.ended)}`;
  }
}

async function closeAll(parts: readonly LogPart[]): Promise<void> {
  await Promise.all(parts.map((part) => part.close()));
}
