// Which pool was made here: a small file that outlives the pool, so that a lost one is missed and never silently
// replaced by an empty one.

import { open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";

import { KernelError, errnoOf } from "../errors.js";

/** Undefined when no pool was ever made here. */
export async function readRecord(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw new KernelError("read", errnoOf(error), { cause: error, path });
  }
}

/** On disk, name and all, when it returns. */
export async function writeRecord(path: string, identity: string): Promise<void> {
  const file = await open(`${path}.new`, "w", 0o600);
  try {
    await file.writeFile(`${identity}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  await syncDirectory(dirname(path));
}

export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
