// Snapshots in a ZFS pool: one command, one transaction, one name on every dataset of the monolith.

import { HengeError } from "../errors.js";
import type { Run } from "../command.js";
import { isLabel } from "../spec/index.js";
import type { MonolithName, SnapshotStatus, VolumeName } from "../spec/index.js";

import type { DriverSnapshots, DriverVolumes } from "./driver.js";
import {
  checkSnapshotName,
  findSnapshot,
  groupParts,
  nothingToSnapshot,
  partOf,
  refuseCloned,
  snapshotExists,
} from "./snapshots.js";
import type { Part } from "./snapshots.js";
import { capacityError } from "./unpack.js";
import { findDataset, listChildren } from "./zfs-dataset.js";
import { cloneArgv, createParentArgv, lastPart, snapshotArgv, snapshotsArgv } from "./zfs-names.js";
import { isMissingDataset, parseSnapshots } from "./zfs-parse.js";
import type { DatasetSnapshot } from "./zfs-parse.js";
import { checkTop } from "./zfs-pool.js";
import type { ZfsPool } from "./zfs-pool.js";
import { volumeProperties } from "./zfs-properties.js";

const DEADLINE_MS = 5 * 60_000;

export function zfsSnapshots(pool: ZfsPool): DriverSnapshots {
  return { ...takingVerbs(pool), rollBack: rollBackVerb(pool) };
}

async function list(pool: ZfsPool, monolith: MonolithName): Promise<readonly SnapshotStatus[]> {
  return groupParts(await readParts(pool, monolith));
}

function takingVerbs(pool: ZfsPool): Omit<DriverSnapshots, "rollBack"> {
  const { run, names } = pool;
  return {
    async list(monolith) {
      await checkTop(pool);
      return list(pool, monolith);
    },
    async take(monolith, name, signal) {
      checkSnapshotName(name);
      await checkTop(pool);
      if ((await list(pool, monolith)).some((known) => known.name === name))
        throw snapshotExists(monolith, name);
      const volumes = await volumesOf(pool, monolith);
      if (volumes.length === 0) throw nothingToSnapshot(monolith);
      const datasets = volumes.map((volume) => names.volume(monolith, volume));
      const options = { signal, timeoutMs: DEADLINE_MS };
      await run(snapshotArgv(datasets, name, volumes), options).catch((error: unknown) => {
        throw capacityError(`take a snapshot of ${monolith}`, error);
      });
    },
    async destroy(monolith, name, signal) {
      checkSnapshotName(name);
      await checkTop(pool);
      const { found } = findSnapshot(await list(pool, monolith), monolith, name);
      refuseCloned(`destroy snapshot ${name} of ${monolith}`, [found]);
      for (const { volume } of found.volumes)
        await destroyPart(run, `${names.volume(monolith, volume)}@${name}`, signal);
    },
  };
}

function rollBackVerb(pool: ZfsPool): DriverSnapshots["rollBack"] {
  const { run, names } = pool;
  return async (monolith, name, signal) => {
    checkSnapshotName(name);
    await checkTop(pool);
    const { found, later } = findSnapshot(await list(pool, monolith), monolith, name);
    refuseCloned(`roll back ${monolith} to ${name}`, later);
    for (const { volume } of found.volumes)
      await run(["zfs", "rollback", "-r", `${names.volume(monolith, volume)}@${name}`], {
        signal,
        timeoutMs: DEADLINE_MS,
      });
    // What is left is of volumes this snapshot does not have: no later snapshot stays whole.
    const gone = new Set(later.map((snapshot) => snapshot.name));
    for (const part of (await readParts(pool, monolith)).filter((one) => gone.has(one.name)))
      await destroyPart(run, `${names.volume(monolith, part.volume)}@${part.name}`, signal);
  };
}

export function cloneVerb(pool: ZfsPool): DriverVolumes["clone"] {
  const { run, names } = pool;
  return async (from, to, volume, signal) => {
    const dataset = names.volume(to, volume.name);
    checkSnapshotName(from.snapshot);
    await checkTop(pool);
    const { found } = findSnapshot(await list(pool, from.monolith), from.monolith, from.snapshot);
    partOf(found, volume.name);
    const act = `make volume ${volume.name} of ${to}`;
    if ((await findDataset(run, dataset)) !== undefined)
      throw new HengeError("WRONG_STATE", `cannot ${act}: it exists`);
    const origin = `${names.volume(from.monolith, volume.name)}@${from.snapshot}`;
    try {
      if ((await findDataset(run, names.monolith(to))) === undefined)
        await run(createParentArgv(names.monolith(to)), { signal });
      await run(cloneArgv(origin, dataset, volumeProperties(volume)), { signal });
    } catch (error) {
      throw capacityError(act, error);
    }
  };
}

async function volumesOf(
  { run, names }: ZfsPool,
  monolith: MonolithName,
): Promise<readonly VolumeName[]> {
  const children = await listChildren(run, names.monolith(monolith));
  return children.map(({ name }) => lastPart(name)).filter(isLabel) as VolumeName[];
}

/** Never with what was cloned from it. */
async function destroyPart(run: Run, snapshot: string, signal: AbortSignal): Promise<void> {
  await run(["zfs", "destroy", snapshot], { signal, timeoutMs: DEADLINE_MS });
}

async function readParts(pool: ZfsPool, monolith: MonolithName): Promise<readonly Part[]> {
  const parent = pool.names.monolith(monolith);
  const found = await listOrNone(pool.run, parent);
  const depth = parent.split("/").length + 1;
  return found
    .filter(({ dataset }) => dataset.split("/").length === depth && isLabel(lastPart(dataset)))
    .map((snapshot) => toPart(pool, snapshot));
}

async function listOrNone(run: Run, parent: string): Promise<readonly DatasetSnapshot[]> {
  try {
    return parseSnapshots(await run(snapshotsArgv(parent)));
  } catch (error) {
    if (isMissingDataset(error)) return [];
    throw error;
  }
}

function toPart({ names }: ZfsPool, snapshot: DatasetSnapshot): Part {
  const { name, dataset, guid, usedBytes, createdAtMs, transaction, volumes } = snapshot;
  return {
    name,
    volume: lastPart(dataset) as VolumeName,
    guid,
    usedBytes,
    createdAtMs,
    transaction,
    ...(volumes === undefined ? {} : { members: volumes }),
    clones: snapshot.clones.map((clone) => monolithAt(names.volumes, clone)),
  };
}

/** A clone an administrator made elsewhere is called by its whole name: it is no monolith, and in the way all the same. */
function monolithAt(volumes: string, dataset: string): MonolithName {
  const inside = dataset.startsWith(`${volumes}/`) ? dataset.slice(volumes.length + 1) : undefined;
  return (inside?.split("/")[0] ?? dataset) as MonolithName;
}
