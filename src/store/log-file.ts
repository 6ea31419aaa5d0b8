// Reads one unit's log as its warden writes it: lines of the CRI log format, in files rotated by size.

import type { FileHandle } from "node:fs/promises";
import { open, stat } from "node:fs/promises";

export interface LogEntry {
  readonly atMs: number;
  readonly stream: "stdout" | "stderr" | "henge";
  readonly text: string;
}

const LINE = /^(\S+) (stdout|stderr|henge) ([PF]) (.*)$/s;
const CHUNK_BYTES = 64 * 1024;

/** A log from its oldest rotated file on. Read `past` to its end, then `follow`: nothing is missed between the two. */
export class LogFile {
  private readonly path: string;
  private readonly rotated: EntryReader[];
  private current: EntryReader | undefined;

  private constructor(path: string, readers: EntryReader[]) {
    this.path = path;
    this.current = readers[0];
    this.rotated = readers.slice(1).reverse();
  }

  /** @param path of the current file; rotated ones are beside it as `.1` (the newest) and up */
  static async open(path: string): Promise<LogFile> {
    const readers: EntryReader[] = [];
    for (let n = 0; ; n++) {
      const reader = await EntryReader.open(n === 0 ? path : `${path}.${String(n)}`);
      if (reader === undefined) {
        if (n > 0) return new LogFile(path, readers);
        continue;
      }
      // Rotated while it was opened: the same file again under its next name.
      if (readers.some(({ inode }) => inode === reader.inode)) await reader.close();
      else readers.push(reader);
    }
  }

  /** Entries written by now, oldest first. */
  async *past(): AsyncGenerator<LogEntry> {
    for (const reader of this.rotated) yield* reader.drain();
    if (this.current !== undefined) yield* this.current.drain();
  }

  /** Entries as they come, across rotations, until the signal aborts. @param wake resolves when there may be more */
  async *follow(wake: () => Promise<void>, signal: AbortSignal): AsyncGenerator<LogEntry> {
    while (!signal.aborted) {
      if (this.current !== undefined) yield* this.current.drain();
      const next = await this.successor();
      if (next === undefined) {
        await wake();
        continue;
      }
      // What came between the drain and the rotation is still in the old file.
      if (this.current !== undefined) yield* this.current.drain();
      await this.current?.close();
      this.current = next;
    }
  }

  async close(): Promise<void> {
    const readers = this.current === undefined ? this.rotated : [...this.rotated, this.current];
    await Promise.all(readers.map((reader) => reader.close()));
  }

  private async successor(): Promise<EntryReader | undefined> {
    const inode = await stat(this.path).then(
      (found) => found.ino,
      () => undefined,
    );
    return inode === undefined || inode === this.current?.inode
      ? undefined
      : EntryReader.open(this.path);
  }
}

class EntryReader {
  readonly inode: number;
  private readonly file: FileHandle;
  private position = 0;
  private rest = Buffer.alloc(0);
  private partial = "";

  private constructor(file: FileHandle, inode: number) {
    this.file = file;
    this.inode = inode;
  }

  static async open(path: string): Promise<EntryReader | undefined> {
    const file = await open(path, "r").catch(() => undefined);
    return file === undefined ? undefined : new EntryReader(file, (await file.stat()).ino);
  }

  close(): Promise<void> {
    return this.file.close();
  }

  /** Entries up to the present end of the file; partial lines are joined. */
  async *drain(): AsyncGenerator<LogEntry> {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    for (;;) {
      const { bytesRead } = await this.file.read(chunk, 0, chunk.length, this.position);
      if (bytesRead === 0) return;
      this.position += bytesRead;
      const bytes = Buffer.concat([this.rest, chunk.subarray(0, bytesRead)]);
      const end = bytes.lastIndexOf(0x0a);
      this.rest = bytes.subarray(end + 1);
      if (end < 0) continue;
      for (const line of bytes.toString("utf8", 0, end).split("\n")) {
        const entry = this.parse(line);
        if (entry !== undefined) yield entry;
      }
    }
  }

  private parse(line: string): LogEntry | undefined {
    const [, at, stream, flag, text] = LINE.exec(line) ?? [];
    if (at === undefined || text === undefined) return undefined;
    if (flag === "P") {
      this.partial += text;
      return undefined;
    }
    const entry = {
      atMs: Date.parse(at),
      stream: stream as LogEntry["stream"],
      text: this.partial + text,
    };
    this.partial = "";
    return entry;
  }
}
