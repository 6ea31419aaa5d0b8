// One file of a unit's log, and all there are of it: the warden writes NAME, and renames it to NAME.1 when it is full,
// after NAME.1 to NAME.2 and so on. What its lines say is not its affair.

import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";

const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;
/** The last part of an entry, at the beginning of a line. */
const ENTRY = /(?<=\n)\S{1,40} (?:stdout|stderr|henge) F /g;
const NAME = /^(\S{1,64}) /;
const NAME_BYTES = 65;

export interface Line {
  /** Without its end; good until the next one is asked for. */
  readonly bytes: Buffer;
  /** Of its first byte in the file. */
  readonly offset: number;
}

export class LogPart {
  readonly inode: number;
  private readonly file: FileHandle;
  private position = 0;
  private name: string | undefined;

  private constructor(file: FileHandle, inode: number) {
    this.file = file;
    this.inode = inode;
  }

  /**
   * @param after only those that are newer than the file of this inode
   * @returns oldest first; whether there is nothing between that file and them
   */
  static async openAll(
    path: string,
    after?: number,
  ): Promise<{ readonly parts: LogPart[]; readonly isWhole: boolean }> {
    const parts: LogPart[] = [];
    // Files only move up while they are looked at, and while they do one number is free: two are the end.
    for (let number = 0, missing = 0; missing < 2; number++) {
      const part = await LogPart.open(number === 0 ? path : `${path}.${String(number)}`);
      missing = part === undefined ? missing + 1 : 0;
      if (part === undefined) continue;
      // Rotated while it was opened: the same file again under its next name.
      if (parts.some(({ inode }) => inode === part.inode)) await part.close();
      else if (part.inode === after) {
        await part.close();
        return { parts: parts.reverse(), isWhole: true };
      } else parts.push(part);
    }
    return { parts: parts.reverse(), isWhole: after === undefined };
  }

  private static async open(path: string): Promise<LogPart | undefined> {
    const file = await open(path, "r").catch(() => undefined);
    return file === undefined ? undefined : new LogPart(file, (await file.stat()).ino);
  }

  close(): Promise<void> {
    return this.file.close();
  }

  /** A place in this file, known again wherever it is moved: by the time of its first line. Of a file that has one. */
  at(offset: number): string {
    return `${this.name ?? String(this.inode)}+${String(offset)}`;
  }

  /** Begins there when it is the file of that name; false when it is not. */
  async begin(name: string, offset: number): Promise<boolean> {
    const own = await this.readName();
    if ((own ?? String(this.inode)) !== name || offset > (await this.file.stat()).size)
      return false;
    this.name = own;
    this.position = offset;
    return true;
  }

  /**
   * Begins before its last `count` entries, and some before that: a line of the other stream may have begun there.
   * @returns how many entries less it has; undefined when it has them all, and those before
   */
  async beginAtLast(count: number): Promise<number | undefined> {
    this.name = await this.readName();
    const chunk = Buffer.alloc(CHUNK_BYTES);
    let missing = count;
    for (let end = (await this.file.stat()).size; end > 0;) {
      const begin = Math.max(0, end - CHUNK_BYTES);
      const { bytesRead } = await this.file.read(chunk, 0, end - begin, begin);
      const bytes = chunk.subarray(0, bytesRead);
      if (missing <= 0) {
        this.position = begin === 0 ? 0 : begin + bytes.indexOf(NEWLINE) + 1;
        return undefined;
      }
      missing -= bytes.toString("latin1").match(ENTRY)?.length ?? 0;
      end = begin;
    }
    return Math.max(0, missing);
  }

  private async readName(): Promise<string | undefined> {
    const head = Buffer.alloc(NAME_BYTES);
    const { bytesRead } = await this.file.read(head, 0, head.length, 0);
    return nameIn(head.subarray(0, bytesRead));
  }

  /** Lines up to the present end of the file; one that lacks its end is left for the next time. */
  async *lines(): AsyncGenerator<Line> {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    for (;;) {
      const { bytesRead } = await this.file.read(chunk, 0, chunk.length, this.position);
      const bytes = chunk.subarray(0, bytesRead);
      if (this.position === 0) this.name = nameIn(bytes);
      let begin = 0;
      for (let end: number; (end = bytes.indexOf(NEWLINE, begin)) >= 0; begin = end + 1) {
        const offset = this.position;
        this.position += end + 1 - begin;
        yield { bytes: bytes.subarray(begin, end), offset };
      }
      // No warden writes a line of this length: what a power cut has left, say.
      if (begin === 0 && bytesRead === chunk.length) this.position += bytesRead;
      else if (begin === 0) return;
    }
  }
}

function nameIn(head: Buffer): string | undefined {
  return NAME.exec(head.toString("latin1", 0, NAME_BYTES))?.[1];
}
