// The desired state: one record for each applied monolith.

import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";

import type { Desired, MonolithName } from "../spec/index.js";
import { isLabel } from "../spec/index.js";

import { CorruptRecord, readRecord, removeRecord, writeRecord } from "./record.js";

export interface MonolithStore {
  /** Every monolith on record; those whose record cannot be read come with the reason instead. */
  list(): Promise<readonly StoredMonolith[]>;
  write(desired: Desired): Promise<void>;
  remove(name: MonolithName): Promise<void>;
}

export type StoredMonolith =
  | { readonly name: MonolithName; readonly desired: Desired }
  | { readonly name: MonolithName; readonly corrupt: string };

const SUFFIX = ".json";

/** @param directory absolute; made when missing */
export async function openMonoliths(directory: string): Promise<MonolithStore> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const pathOf = (name: MonolithName): string => join(directory, `${name}${SUFFIX}`);
  return {
    async list() {
      const names = (await readdir(directory))
        .filter((file) => file.endsWith(SUFFIX))
        .map((file) => file.slice(0, -SUFFIX.length))
        .filter(isLabel)
        .sort();
      return Promise.all(names.map((name) => readMonolith(pathOf, name as MonolithName)));
    },
    write: (desired) => writeRecord(pathOf(desired.spec.name), desired),
    remove: (name) => removeRecord(pathOf(name)),
  };
}

async function readMonolith(
  pathOf: (name: MonolithName) => string,
  name: MonolithName,
): Promise<StoredMonolith> {
  try {
    // The checksum has shown that these are the bytes this daemon's own writer wrote.
    return { name, desired: (await readRecord(pathOf(name))) as Desired };
  } catch (error) {
    if (error instanceof CorruptRecord) return { name, corrupt: error.message };
    throw error;
  }
}
