// Whether everything is halted: a record beside the daemon's sockets. It counts until the next boot, wherever it lies.

import { isDeepStrictEqual } from "node:util";

import { readRecord, removeRecord, writeRecord } from "./record.js";

export interface HaltMark {
  isSet(): Promise<boolean>;
  set(): Promise<void>;
  clear(): Promise<void>;
}

/** @param path absolute; what is read there throws as readRecord does */
export function openHaltMark(path: string, bootId: string): HaltMark {
  const mark = { halted: true, bootId };
  return {
    isSet: async () => isDeepStrictEqual(await readRecord(path), mark),
    set: () => writeRecord(path, mark),
    clear: () => removeRecord(path),
  };
}
