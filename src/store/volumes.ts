// Which dataset each volume is: written when it is made, kept until its data is destroyed. A volume that is missing or
// is another dataset than the one on record is never taken for an empty one.

import { HengeError } from "../errors.js";
import type { MonolithName, SnapshotName, VolumeName } from "../spec/index.js";
import { createMutex } from "../mutex.js";

import { readRecord, writeRecord } from "./record.js";

export interface VolumeLedger {
  /** @throws {HengeError} WRONG_STATE: it was made before, so the pool that lacks it is not the pool it was */
  requireNew(monolith: MonolithName, volume: VolumeName): void;
  /** On record before the volume is made: a daemon that is killed meanwhile knows whose it is. */
  begin(monolith: MonolithName, volume: VolumeName): Promise<void>;
  /**
   * Puts the one that was begun on record.
   * @param guid what the pool's tools call the dataset by
   * @throws {HengeError} WRONG_STATE: the volume is another dataset than the one on record
   */
  confirm(monolith: MonolithName, volume: VolumeName, guid: string): Promise<void>;
  remove(monolith: MonolithName, volume: VolumeName): Promise<void>;
  /** On record before the first of them is rolled back: none can be mounted until all are. */
  beginRollback(
    monolith: MonolithName,
    volumes: readonly VolumeName[],
    snapshot: SnapshotName,
  ): Promise<void>;
  /** Where a rollback that has not ended goes back to. */
  rollbackOf(monolith: MonolithName): SnapshotName | undefined;
  /** @param guids of its volumes as they are now, by name */
  endRollback(monolith: MonolithName, guids: ReadonlyMap<VolumeName, string>): Promise<void>;
}

const BEGUN = "";
// No guid begins like this.
const ROLLBACK = "rollback:";

/** @throws {CorruptRecord} the ledger cannot be believed; no cell with a volume can start */
export async function openVolumeLedger(path: string): Promise<VolumeLedger> {
  const read = await readRecord(path);
  // Its checksum has shown that these are the bytes this daemon's own writer wrote.
  const guids = new Map(Object.entries((read ?? {}) as Record<string, string>));
  const keyOf = (monolith: MonolithName, volume: VolumeName): string => `${monolith}/${volume}`;
  // Monoliths change beside each other, and have one file here.
  const mutex = createMutex();
  const save = (): Promise<void> => mutex.run(() => writeRecord(path, Object.fromEntries(guids)));
  return {
    requireNew(monolith, volume) {
      const known = guids.get(keyOf(monolith, volume));
      if (known === undefined || known === BEGUN) return;
      throw new HengeError(
        "WRONG_STATE",
        `cannot make volume ${volume} of ${monolith}: it was made before, but the pool does not have it`,
        {
          hint: `bring back the pool it is in; if its data is gone for good, henge down ${monolith} --destroy-data forgets it`,
        },
      );
    },
    async begin(monolith, volume) {
      guids.set(keyOf(monolith, volume), BEGUN);
      await save();
    },
    async confirm(monolith, volume, guid) {
      const known = guids.get(keyOf(monolith, volume));
      if (known === guid) return;
      if (known === BEGUN) {
        guids.set(keyOf(monolith, volume), guid);
        return save();
      }
      if (known?.startsWith(ROLLBACK) === true) throw halfRolledBack(monolith, volume, known);
      const what =
        known === undefined
          ? "it is not on record"
          : `it is the dataset ${guid}, on record is ${known}`;
      throw new HengeError("WRONG_STATE", `cannot mount volume ${volume} of ${monolith}: ${what}`, {
        hint: "bring back the pool the volume was made in; nothing was started on the other one",
      });
    },
    async remove(monolith, volume) {
      if (guids.delete(keyOf(monolith, volume))) await save();
    },
    async beginRollback(monolith, volumes, snapshot) {
      for (const volume of volumes) guids.set(keyOf(monolith, volume), `${ROLLBACK}${snapshot}`);
      await save();
    },
    rollbackOf(monolith) {
      const mine = [...guids].filter(([key]) => key.startsWith(`${monolith}/`));
      const marked = mine.find(([, guid]) => guid.startsWith(ROLLBACK))?.[1];
      return marked?.slice(ROLLBACK.length) as SnapshotName | undefined;
    },
    async endRollback(monolith, known) {
      for (const [volume, guid] of known) guids.set(keyOf(monolith, volume), guid);
      await save();
    },
  };
}

function halfRolledBack(monolith: MonolithName, volume: VolumeName, mark: string): HengeError {
  const snapshot = mark.slice(ROLLBACK.length);
  return new HengeError(
    "WRONG_STATE",
    `cannot mount volume ${volume} of ${monolith}: a rollback to ${snapshot} has not ended`,
    { hint: `henge rollback ${monolith} ${snapshot} finishes it` },
  );
}
