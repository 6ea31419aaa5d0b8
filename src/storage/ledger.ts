// Which dataset each volume is: written when it is made, kept until its data is destroyed. A volume that is missing or
// is another dataset than the one on record is never taken for an empty one.

import { HengeError } from "../errors.js";
import { createMutex } from "../mutex.js";
import type { MonolithName, SnapshotName, VolumeName } from "../spec/index.js";
import { readRecord, writeRecord } from "../store/record.js";

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
  /** All that is on record of it. */
  forget(monolith: MonolithName): Promise<void>;
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

const VERSION = 2;

interface Volume {
  /** Absent while it is being made. */
  readonly guid?: string;
}

interface Rollback {
  readonly snapshot: SnapshotName;
  readonly volumes: readonly string[];
}

interface Body {
  readonly version: typeof VERSION;
  /** By `MONOLITH/VOLUME`. */
  readonly volumes: Record<string, Volume>;
  /** Those that have not ended, by monolith. */
  readonly rollbacks: Record<string, Rollback>;
}

/**
 * @throws {CorruptRecord} the ledger cannot be believed; no cell with a volume can start
 * @throws {HengeError} WRONG_STATE: a newer Henge wrote it
 */
export async function openVolumeLedger(path: string): Promise<VolumeLedger> {
  const body = bodyOf(path, await readRecord(path));
  return new Ledger(path, body);
}

class Ledger implements VolumeLedger {
  readonly #path: string;
  readonly #volumes: Map<string, Volume>;
  readonly #rollbacks: Map<string, Rollback>;
  // Monoliths change beside each other, and have one file here.
  readonly #mutex = createMutex();

  constructor(path: string, { volumes, rollbacks }: Body) {
    this.#path = path;
    this.#volumes = new Map(Object.entries(volumes));
    this.#rollbacks = new Map(Object.entries(rollbacks));
  }

  requireNew(monolith: MonolithName, volume: VolumeName): void {
    if (this.#volumes.get(keyOf(monolith, volume))?.guid === undefined) return;
    throw new HengeError(
      "WRONG_STATE",
      `cannot make volume ${volume} of ${monolith}: it was made before, but the pool does not have it`,
      {
        hint: "bring back the pool or the dataset it is in; docs/cli.md tells what to do when it is gone for good",
      },
    );
  }

  async begin(monolith: MonolithName, volume: VolumeName): Promise<void> {
    this.#volumes.set(keyOf(monolith, volume), {});
    await this.#save();
  }

  async confirm(monolith: MonolithName, volume: VolumeName, guid: string): Promise<void> {
    const key = keyOf(monolith, volume);
    const rollback = this.#rollbacks.get(monolith);
    if (rollback?.volumes.includes(volume) === true)
      throw halfRolledBack(monolith, volume, rollback.snapshot);
    const known = this.#volumes.get(key);
    if (known !== undefined && known.guid === undefined) {
      this.#volumes.set(key, { guid });
      return this.#save();
    }
    if (known?.guid === guid) return;
    const what =
      known?.guid === undefined
        ? "it is not on record"
        : `it is the dataset ${guid}, on record is ${known.guid}`;
    throw new HengeError("WRONG_STATE", `cannot mount volume ${volume} of ${monolith}: ${what}`, {
      hint: "bring back the pool the volume was made in; nothing was started on the other one",
    });
  }

  async remove(monolith: MonolithName, volume: VolumeName): Promise<void> {
    if (this.#volumes.delete(keyOf(monolith, volume))) await this.#save();
  }

  async forget(monolith: MonolithName): Promise<void> {
    const mine = [...this.#volumes.keys()].filter((key) => key.startsWith(`${monolith}/`));
    for (const key of mine) this.#volumes.delete(key);
    if (this.#rollbacks.delete(monolith) || mine.length > 0) await this.#save();
  }

  async beginRollback(
    monolith: MonolithName,
    volumes: readonly VolumeName[],
    snapshot: SnapshotName,
  ): Promise<void> {
    this.#rollbacks.set(monolith, { snapshot, volumes });
    await this.#save();
  }

  rollbackOf(monolith: MonolithName): SnapshotName | undefined {
    return this.#rollbacks.get(monolith)?.snapshot;
  }

  async endRollback(monolith: MonolithName, guids: ReadonlyMap<VolumeName, string>): Promise<void> {
    for (const [volume, guid] of guids) this.#volumes.set(keyOf(monolith, volume), { guid });
    this.#rollbacks.delete(monolith);
    await this.#save();
  }

  #save(): Promise<void> {
    return this.#mutex.run(() => {
      const body: Body = {
        version: VERSION,
        volumes: Object.fromEntries(this.#volumes),
        rollbacks: Object.fromEntries(this.#rollbacks),
      };
      return writeRecord(this.#path, body);
    });
  }
}

function keyOf(monolith: MonolithName, volume: VolumeName): string {
  return `${monolith}/${volume}`;
}

/** Its checksum has shown that these are the bytes a daemon's own writer wrote. */
function bodyOf(path: string, read: unknown): Body {
  if (read === undefined) return { version: VERSION, volumes: {}, rollbacks: {} };
  const { version } = read as { readonly version?: number };
  if (version === undefined) return fromFirstVersion(read as Record<string, string>);
  if (version === VERSION) return read as Body;
  throw new HengeError(
    "WRONG_STATE",
    `cannot read the record of volumes ${path}: it is of version ${String(version)}, and this Henge knows ${String(VERSION)} at most`,
    { hint: "a newer Henge wrote it: install that one again; nothing was changed" },
  );
}

/** Of Henge before operations: strings by `MONOLITH/VOLUME`; empty while one was made, or `rollback:SNAPSHOT`. */
function fromFirstVersion(strings: Record<string, string>): Body {
  const volumes: Record<string, Volume> = {};
  const rollbacks: Record<string, Rollback> = {};
  for (const [key, text] of Object.entries(strings)) {
    const [monolith = "", volume = ""] = key.split("/");
    const snapshot = /^rollback:(.*)$/.exec(text)?.[1];
    if (snapshot === undefined) volumes[key] = text === "" ? {} : { guid: text };
    else {
      const others = rollbacks[monolith]?.volumes ?? [];
      rollbacks[monolith] = {
        snapshot: snapshot as SnapshotName,
        volumes: [...others, volume],
      };
    }
  }
  return { version: VERSION, volumes, rollbacks };
}

function halfRolledBack(
  monolith: MonolithName,
  volume: VolumeName,
  snapshot: SnapshotName,
): HengeError {
  return new HengeError(
    "WRONG_STATE",
    `cannot mount volume ${volume} of ${monolith}: a rollback to ${snapshot} has not ended`,
    { hint: `henge rollback ${monolith} ${snapshot} finishes it` },
  );
}
