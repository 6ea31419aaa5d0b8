// The operations on disk: one record each, replaced whole at every phase. The newest that have ended are kept.

import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";

import type { MonolithName, Operation } from "../spec/index.js";

import { CorruptRecord, readRecord, removeRecord, writeRecord } from "./record.js";

export interface OperationRecord extends Operation {
  /** Absent for what is about all of them. */
  readonly monolith?: MonolithName;
  /** SHA-256 of verb and body, in hex: the same id with another is another request. */
  readonly digest: string;
  /** What the verb needs to go on, or back, in the next daemon. */
  readonly kept?: unknown;
}

export type StoredOperation =
  | { readonly id: string; readonly record: OperationRecord }
  | { readonly id: string; readonly corrupt: string };

export interface OperationStore {
  /** Those that cannot be read come with the reason. */
  list(): Promise<readonly StoredOperation[]>;
  /** Resolves when it is on the disk. */
  write(record: OperationRecord): Promise<void>;
  remove(id: string): Promise<void>;
}

const SUFFIX = ".json";

/** @param directory absolute; made when missing */
export async function openOperations(directory: string): Promise<OperationStore> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const pathOf = (id: string): string => join(directory, `${id}${SUFFIX}`);
  return {
    async list() {
      const ids = (await readdir(directory))
        .filter((file) => file.endsWith(SUFFIX))
        .map((file) => file.slice(0, -SUFFIX.length));
      return Promise.all(ids.map((id) => readOperation(pathOf(id), id)));
    },
    write: (record) => writeRecord(pathOf(record.id), record),
    remove: (id) => removeRecord(pathOf(id)),
  };
}

async function readOperation(path: string, id: string): Promise<StoredOperation> {
  try {
    // The checksum has shown that these are the bytes this daemon's own writer wrote.
    const record = (await readRecord(path)) as OperationRecord | undefined;
    if (record?.id === id) return { id, record };
    return { id, corrupt: `cannot use the record ${path}: it is of another operation` };
  } catch (error) {
    if (error instanceof CorruptRecord) return { id, corrupt: error.message };
    throw error;
  }
}
