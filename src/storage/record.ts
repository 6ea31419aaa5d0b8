// Which pool was made here: a small file that outlives the pool, so that a lost one is missed and never silently
// replaced by an empty one.

import { readFile } from "node:fs/promises";

import { replaceFile } from "../atomic-file.js";
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
export function writeRecord(path: string, identity: string): Promise<void> {
  return replaceFile(path, `${identity}\n`);
}
