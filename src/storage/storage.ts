// The four ports, over a driver and the record of what it made. The order in which the two are written is kept here: on
// record before the act, and whole only after it.

import { HengeError } from "../errors.js";
import type { MonolithName, MountSource, SnapshotName, VolumeName } from "../spec/index.js";
import { createMutex } from "../mutex.js";

import type { Driver, DriverVolumes } from "./driver.js";
import type { VolumeLedger } from "./ledger.js";
import { openVolumeLedger } from "./ledger.js";
import type { PoolPort, SnapshotsPort, Storage, VolumesPort } from "./port.js";
import { checkSnapshotName, findSnapshot, refuseCloned } from "./snapshots.js";

const CLEANUP_DEADLINE_MS = 60_000;

/**
 * @param record absolute path of the file that remembers the volumes
 * @throws {CorruptRecord} it cannot be believed
 * @throws {HengeError} WRONG_STATE: a newer Henge wrote it
 */
export async function openStorage(driver: Driver, record: string): Promise<Storage> {
  const ledger = await openVolumeLedger(record);
  return {
    pool: oneAtATime(driver.pool),
    volumes: volumesPort(driver, ledger),
    images: driver.images,
    snapshots: snapshotsPort(driver, ledger),
  };
}

/** A daemon that has just started and the first `up` would both make and mount the pool. */
function oneAtATime(pool: PoolPort): PoolPort {
  const mutex = createMutex();
  return {
    ...pool,
    ensure: (signal) =>
      mutex.run(async () => {
        signal.throwIfAborted();
        await pool.ensure(signal);
      }),
  };
}

function volumesPort({ volumes }: Driver, ledger: VolumeLedger): VolumesPort {
  const source = async (monolith: MonolithName, volume: VolumeName): Promise<MountSource> => {
    const found = await volumes.source(monolith, volume);
    await ledger.confirm(monolith, volume, found.guid);
    return found;
  };
  const destroy: VolumesPort["destroy"] = async (monolith, volume, signal) => {
    await volumes.destroy(monolith, volume, signal);
    await ledger.remove(monolith, volume);
  };
  return {
    ...volumes,
    source,
    destroy,
    async create(monolith, volume, signal) {
      ledger.requireNew(monolith, volume.name);
      await ledger.begin(monolith, volume.name);
      await volumes.create(monolith, volume, signal);
      await source(monolith, volume.name);
    },
    forget: (monolith) => ledger.forget(monolith),
    async clone(from, to, specs, signal) {
      await refuseExisting(volumes, to);
      for (const { name } of specs) ledger.requireNew(to, name);
      try {
        for (const volume of specs) {
          await ledger.begin(to, volume.name);
          await volumes.clone(from, to, volume, signal);
          await source(to, volume.name);
        }
      } catch (error) {
        const patience = AbortSignal.timeout(CLEANUP_DEADLINE_MS);
        for (const { name } of specs) await destroy(to, name, patience);
        throw error;
      }
    },
  };
}

/** What is cleaned away when a clone fails must be its own. */
async function refuseExisting(volumes: DriverVolumes, monolith: MonolithName): Promise<void> {
  const [first] = await volumes.list(monolith);
  if (first === undefined) return;
  throw new HengeError(
    "WRONG_STATE",
    `cannot make volumes of ${monolith}: it has volume ${first.name} already`,
  );
}

function snapshotsPort({ volumes, snapshots }: Driver, ledger: VolumeLedger): SnapshotsPort {
  const find: SnapshotsPort["find"] = async (monolith, name) => {
    checkSnapshotName(name);
    return findSnapshot(await snapshots.list(monolith), monolith, name);
  };
  /** The same acts again, also where some of them were done before the daemon was killed. */
  const finish = async (
    monolith: MonolithName,
    name: SnapshotName,
    signal: AbortSignal,
  ): Promise<void> => {
    await snapshots.rollBack(monolith, name, signal);
    const { found } = await find(monolith, name);
    const guids = new Map<VolumeName, string>();
    for (const { volume } of found.volumes)
      guids.set(volume, (await volumes.source(monolith, volume)).guid);
    await ledger.endRollback(monolith, guids);
  };
  return {
    list: (monolith) => snapshots.list(monolith),
    find,
    take: (monolith, name, signal) => snapshots.take(monolith, name, signal),
    destroy: (monolith, name, signal) => snapshots.destroy(monolith, name, signal),
    async rollBack(monolith, name, signal) {
      const { found, later } = await find(monolith, name);
      refuseCloned(`roll back ${monolith} to ${name}`, later);
      const members = found.volumes.map(({ volume }) => volume);
      await ledger.beginRollback(monolith, members, name);
      await finish(monolith, name, signal);
    },
    unfinishedRollback: (monolith) => ledger.rollbackOf(monolith),
    async finishRollback(monolith, signal) {
      const name = ledger.rollbackOf(monolith);
      if (name !== undefined) await finish(monolith, name, signal);
      return name;
    },
  };
}
