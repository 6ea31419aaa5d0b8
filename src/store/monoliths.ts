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
  // Nobody else writes here while this daemon has its lock. What cannot be read may be mended by hand: it is read anew.
  let known: readonly StoredMonolith[] | undefined;
  let changes = 0;
  const change = async (act: Promise<void>): Promise<void> => {
    const begin = (): void => {
      known = undefined;
      changes += 1;
    };
    begin();
    await act.finally(begin);
  };
  return {
    async list() {
      if (known !== undefined) return known;
      const before = changes;
      const found = await readAll(directory, pathOf);
      if (changes === before && !found.some((one) => "corrupt" in one)) known = found;
      return found;
    },
    write: (desired) => change(writeRecord(pathOf(desired.spec.name), desired)),
    remove: (name) => change(removeRecord(pathOf(name))),
  };
}

async function readAll(
  directory: string,
  pathOf: (name: MonolithName) => string,
): Promise<readonly StoredMonolith[]> {
  const names = (await readdir(directory))
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => file.slice(0, -SUFFIX.length))
    .filter(isLabel)
    .sort();
  return Promise.all(names.map((name) => readMonolith(pathOf, name as MonolithName)));
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
