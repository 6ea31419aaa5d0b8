// A small file replaced whole or not at all: who reads it, also after a power cut, finds the old text or the new one.

import { constants } from "node:fs";
import { open, rename, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";

import { errnoOf } from "./errors.js";

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;

/**
 * Write, fsync, rename, fsync of the directory (rename(2), fsync(2)): on the disk, name and all, when it returns. What
 * fails leaves the old text. One writer at a time; mode 0600.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  const file = await openNew(temporary);
  try {
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await removeIfThere(temporary);
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** Whatever is there is not written to, and no link is followed. */
async function openNew(path: string): Promise<FileHandle> {
  const make = () => open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    return await make();
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
    await removeIfThere(path); // of a writer that was killed
    return make();
  }
}

/** Gone for good when it returns; nothing is done when there is none. */
export async function removeFile(path: string): Promise<void> {
  await removeIfThere(path);
  await syncDirectory(dirname(path));
}

/** Names that were made, renamed or removed in it are on the disk when it returns. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function removeIfThere(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (errnoOf(error) !== "ENOENT") throw error;
  });
}
