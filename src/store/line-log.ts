// A log of lines that is bounded while it grows: FILE, and, once that is full, FILE.1, FILE.2 …, the older the higher.
// What the lines say is not its affair.

import { constants } from "node:fs";
import { lstat, rename } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";

import { KernelError, errnoOf } from "../errors.js";
import { createMutex } from "../mutex.js";
import { openOwn } from "./own-file.js";
import { syncDirectory } from "../atomic-file.js";

export interface LineLogOptions {
  readonly path: string;
  /** A file is full when the next line would make it larger. */
  readonly maxBytes: number;
  /** Full files kept beside the current one, 1 or more; together they have `(keep + 1) * maxBytes` and one line. */
  readonly keep: number;
}

export interface LineLog {
  /**
   * Returns when the line is in the file, after those given before it.
   * @param synced whether it is on the disk too (fdatasync(2))
   */
  append(line: string, synced?: boolean): Promise<void>;
  /** Every line there is now, oldest first, with what a daemon that was killed has left of its last one. */
  lines(): AsyncGenerator<string>;
  /** Returns when the lines given before are on the disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

const APPEND = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT;
const NEWLINE = 0x0a;

/**
 * @param beforeRotation runs when all lines are on the disk, before the oldest file goes; when it fails nothing goes,
 *   and the current file grows on
 * @throws {HengeError} WRONG_STATE: what is in the file's place is not a file that only root can write
 */
export async function openLineLog(
  options: LineLogOptions,
  beforeRotation: () => Promise<void> = () => Promise.resolve(),
): Promise<LineLog> {
  const { path, maxBytes } = options;
  const mutex = createMutex();
  let current = await openCurrent(path);
  await syncDirectory(dirname(path));

  const rotate = async (): Promise<void> => {
    await current.file.datasync();
    await beforeRotation();
    const full = current;
    current = { file: await startNext(options), bytes: 0, torn: false };
    // It ends once what is under way with it has ended: the sync of a line before.
    await full.file.close();
  };
  const write = async (line: string, synced: boolean): Promise<{ synced?: Promise<void> }> => {
    const bytes = Buffer.byteLength(line) + 1;
    if (current.bytes > 0 && current.bytes + bytes > maxBytes)
      await rotate().catch(() => undefined);
    const into = current;
    const text = into.torn ? `\n${line}\n` : `${line}\n`;
    into.torn = true;
    into.bytes += bytes;
    await into.file.appendFile(text);
    into.torn = false;
    return synced ? { synced: into.file.datasync() } : {};
  };
  return {
    append: async (line, synced = false) => {
      // Synced beside each other: who writes next need not wait for this disk's answer.
      await (
        await mutex.run(() => write(line, synced))
      ).synced;
    },
    lines: async function* () {
      const files = await mutex.run(() => openAll(options));
      try {
        for (const { file, bytes } of files) yield* linesOf(file, bytes);
      } finally {
        await Promise.all(files.map(({ file }) => file.close()));
      }
    },
    sync: () => mutex.run(() => current.file.datasync()),
    close: () => mutex.run(() => current.file.close()),
  };
}

interface Current {
  readonly file: FileHandle;
  bytes: number;
  /** Its last line may lack its end. */
  torn: boolean;
}

async function openCurrent(path: string): Promise<Current> {
  const file = await openOwn(path, APPEND);
  const bytes = (await file.stat()).size;
  const last = Buffer.alloc(1);
  if (bytes > 0) await file.read(last, 0, 1, bytes - 1);
  return { file, bytes, torn: bytes > 0 && last[0] !== NEWLINE };
}

/** Each full file takes the number above its own, up to the first number that is free. */
async function startNext({ path, keep }: LineLogOptions): Promise<FileHandle> {
  const numbered = (n: number): string => (n === 0 ? path : `${path}.${String(n)}`);
  // Opened before anything is moved: who has no descriptor left goes on with the file there is.
  const next = `${path}.new`;
  const file = await openOwn(next, APPEND | constants.O_TRUNC);
  try {
    let free = 1;
    while (free < keep && (await exists(numbered(free)))) free += 1;
    for (let n = free; n > 0; n -= 1) await rename(numbered(n - 1), numbered(n));
    await rename(next, path);
    await syncDirectory(dirname(path));
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function openAll({
  path,
  keep,
}: LineLogOptions): Promise<{ readonly file: FileHandle; readonly bytes: number }[]> {
  const files = [];
  for (let n = keep; n >= 0; n -= 1) {
    try {
      const file = await openOwn(n === 0 ? path : `${path}.${String(n)}`, constants.O_RDONLY);
      files.push({ file, bytes: (await file.stat()).size });
    } catch (error) {
      if (error instanceof KernelError && error.errno === "ENOENT") continue;
      await Promise.all(files.map(({ file }) => file.close()));
      throw error;
    }
  }
  return files;
}

async function* linesOf(file: FileHandle, bytes: number): AsyncGenerator<string> {
  if (bytes === 0) return;
  let rest = "";
  const chunks = file.createReadStream({
    ...{ start: 0, end: bytes - 1, autoClose: false, encoding: "utf8" },
  });
  for await (const chunk of chunks) {
    const lines = (rest + String(chunk)).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}
