// Opens what the daemon keeps under its root: plain files and directories that nobody but root has made or can change.
// Somebody else's file, a link or a directory in its place is told as such and is never written through.

import { constants } from "node:fs";
import { lstat, mkdir, open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";

import { HengeError, KernelError, errnoOf } from "../errors.js";

/** Of group and others. */
const WRITABLE_BY_OTHERS = 0o022;

type Kind = "file" | "directory";
type Stats = Awaited<ReturnType<typeof lstat>>;

/**
 * @param flags of open(2), e.g. O_WRONLY | O_APPEND | O_CREAT; links are never followed
 * @throws {HengeError} WRONG_STATE: something else is in its place, or others can write it
 * @throws {KernelError} what open(2) says otherwise, e.g. ENOENT, ENOSPC
 */
export async function openOwn(path: string, flags: number): Promise<FileHandle> {
  let file: FileHandle;
  try {
    // O_NONBLOCK: a FIFO in its place would keep open(2) waiting for ever; a plain file does not heed it.
    file = await open(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o600);
  } catch (error) {
    throw await refusalOf(path, error);
  }
  try {
    requireOwn(path, "file", await file.stat());
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * Makes the directory, and those above it, where they are missing.
 * @throws {HengeError} WRONG_STATE: something else is in its place, or others can write it
 */
export async function makeOwnDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    const found = await lstat(path).catch(() => undefined);
    if (found === undefined || found.isDirectory())
      throw new KernelError("make the directory", errnoOf(error), { cause: error, path });
  }
  requireOwn(path, "directory", await lstat(path));
}

/** ELOOP, EISDIR and ENXIO are what open(2) says of a link, a directory and a socket. */
async function refusalOf(path: string, error: unknown): Promise<Error> {
  const errno = errnoOf(error);
  if (["ELOOP", "EISDIR", "ENXIO", "EEXIST"].includes(errno)) {
    try {
      requireOwn(path, "file", await lstat(path));
    } catch (refusal) {
      if (refusal instanceof HengeError) return refusal;
    }
  }
  return new KernelError("open", errno, { cause: error, path });
}

function requireOwn(path: string, kind: Kind, stats: Stats): void {
  const found = describeKind(stats);
  if (found !== kind) {
    throw new HengeError("WRONG_STATE", `cannot use ${path}: it is ${article(found)}`, {
      hint: `henged keeps ${article(kind)} there: look what put it there, move it away, and start henged again`,
    });
  }
  const uid = process.geteuid?.() ?? 0;
  if (Number(stats.uid) !== uid) {
    throw new HengeError(
      "WRONG_STATE",
      `cannot use ${path}: it belongs to uid ${String(stats.uid)}, not to uid ${String(uid)}`,
      { hint: `somebody else made it: look at what is in it, then chown ${String(uid)} ${path}` },
    );
  }
  if ((Number(stats.mode) & WRITABLE_BY_OTHERS) !== 0) {
    const mode = (Number(stats.mode) & 0o7777).toString(8);
    throw new HengeError(
      "WRONG_STATE",
      `cannot use ${path}: its mode is ${mode}, so others than its owner can write it`,
      { hint: `look at what is in it, then chmod go-w ${path}` },
    );
  }
}

function describeKind(stats: Stats): string {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "symbolic link";
  if (stats.isFIFO()) return "FIFO";
  return stats.isSocket() ? "socket" : "device";
}

function article(noun: string): string {
  return `a ${noun}`;
}
