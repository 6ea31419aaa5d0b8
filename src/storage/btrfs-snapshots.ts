// Snapshots in the embedded pool: read-only subvolumes in a directory of their own, which gets its name when all are made.
// They are one instant only when nothing writes meanwhile.

import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

import { HengeError } from "../errors.js";
import { isLabel } from "../spec/index.js";
import type { MonolithName, SnapshotStatus, VolumeName } from "../spec/index.js";

import { parseExclusive, parseSubvolumes } from "./btrfs-parse.js";
import { checkPool } from "./btrfs-pool.js";
import type { BtrfsPool } from "./btrfs-pool.js";
import type { DriverSnapshots, DriverVolumes } from "./driver.js";
import { PARTIAL_PREFIX, checkLabel } from "./names.js";
import { readRecord, writeRecord } from "./record.js";
import {
  checkSnapshotName,
  findSnapshot,
  groupParts,
  nothingToSnapshot,
  partOf,
  snapshotExists,
} from "./snapshots.js";
import type { Part } from "./snapshots.js";
import {
  destroySubvolume,
  exists,
  listNames,
  makeWhole,
  partialPath,
  readSubvolume,
  replaceWhole,
  setQuota,
  syncPool,
} from "./subvolume.js";
import { capacityError } from "./unpack.js";

/** Beside the volumes, whose names are labels. */
const RECORD = "_taken";

interface Taken {
  readonly createdAtMs: number;
  readonly members: readonly string[];
  readonly reason?: string;
}

export function btrfsSnapshots(pool: BtrfsPool): DriverSnapshots {
  const list = (monolith: MonolithName) => listAll(pool, monolith);
  return {
    async list(monolith) {
      await checkPool(pool);
      return list(monolith);
    },
    async take(monolith, name, signal) {
      const path = pathOf(pool, monolith, name);
      await checkPool(pool);
      if (await exists(path)) throw snapshotExists(monolith, name);
      const members = await volumesOf(pool, monolith);
      if (members.length === 0) throw nothingToSnapshot(monolith);
      await pool.making.alone(partialPath(path), () =>
        take(pool, { monolith, path, members }, signal),
      );
    },
    async destroy(monolith, name, signal) {
      const path = pathOf(pool, monolith, name);
      await checkPool(pool);
      if (!(await exists(path))) findSnapshot(await list(monolith), monolith, name);
      await destroyDirectory(pool, path, signal);
    },
    async rollBack(monolith, name, signal) {
      const path = pathOf(pool, monolith, name);
      await checkPool(pool);
      const { found, later } = findSnapshot(await list(monolith), monolith, name);
      for (const { volume } of found.volumes)
        await rollBackVolume(pool, { monolith, volume, origin: join(path, volume) }, signal);
      for (const snapshot of later)
        await destroyDirectory(pool, pathOf(pool, monolith, snapshot.name), signal);
    },
  };
}

export function cloneVerb(pool: BtrfsPool): DriverVolumes["clone"] {
  return async (from, to, volume, signal) => {
    const path = volumePath(pool, to, volume.name);
    await checkPool(pool);
    const origin = join(pathOf(pool, from.monolith, from.snapshot), volume.name);
    if (!(await exists(origin)))
      partOf(
        findSnapshot(await listAll(pool, from.monolith), from.monolith, from.snapshot).found,
        volume.name,
      );
    if (await exists(path))
      throw new HengeError("WRONG_STATE", `cannot make volume ${volume.name} of ${to}: it exists`);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await makeWhole(pool, { path, origin }, signal, (partial) =>
      setQuota(pool.run, partial, volume.quotaBytes, signal),
    );
  };
}

async function listAll(
  pool: BtrfsPool,
  monolith: MonolithName,
): Promise<readonly SnapshotStatus[]> {
  return groupParts(await readParts(pool, monolith));
}

/** What earlier attempts left; not what is just being made. */
export async function removePartialSnapshots(pool: BtrfsPool, signal: AbortSignal): Promise<void> {
  for (const monolith of (await listNames(pool.snapshots)).filter(isLabel)) {
    const parent = join(pool.snapshots, monolith);
    for (const name of await listNames(parent)) {
      const path = join(parent, name);
      if (name.startsWith(PARTIAL_PREFIX) && !pool.making.has(path))
        await pool.making.alone(path, () => emptyDirectory(pool, path, signal));
    }
  }
}

function pathOf(pool: BtrfsPool, monolith: MonolithName, name: string): string {
  return join(pool.snapshots, checkLabel("monolith", monolith), checkSnapshotName(name));
}

function volumePath(pool: BtrfsPool, monolith: MonolithName, volume: VolumeName): string {
  return join(pool.volumes, checkLabel("monolith", monolith), checkLabel("volume", volume));
}

async function volumesOf(
  { volumes }: BtrfsPool,
  monolith: MonolithName,
): Promise<readonly VolumeName[]> {
  const names = await listNames(join(volumes, checkLabel("monolith", monolith)));
  return names.filter(isLabel).sort() as VolumeName[];
}

interface Taking {
  readonly monolith: MonolithName;
  readonly path: string;
  readonly members: readonly VolumeName[];
}

async function take(
  pool: BtrfsPool,
  { monolith, path, members }: Taking,
  signal: AbortSignal,
): Promise<void> {
  const { run } = pool;
  const partial = partialPath(path);
  try {
    await emptyDirectory(pool, partial, signal); // of an attempt that was killed
    await mkdir(partial, { recursive: true, mode: 0o700 });
    for (const volume of members) {
      const from = volumePath(pool, monolith, volume);
      await run(["btrfs", "subvolume", "snapshot", "-r", from, join(partial, volume)], { signal });
    }
    const doubt = await leftOut(pool, monolith, members);
    const taken: Taken = {
      createdAtMs: Date.now(),
      members,
      ...(doubt === undefined ? {} : { reason: doubt }),
    };
    await writeRecord(join(partial, RECORD), JSON.stringify(taken));
    await syncPool(run, partial, signal);
    await rename(partial, path);
    await syncPool(run, path, signal);
  } catch (error) {
    await emptyDirectory(pool, partial).catch(() => undefined); // else pool.ensure removes it
    throw capacityError(`take a snapshot of ${monolith}`, error);
  }
}

/** A cell may make subvolumes of its own in a volume, and a snapshot shows empty directories in their places. */
async function leftOut(
  pool: BtrfsPool,
  monolith: MonolithName,
  members: readonly VolumeName[],
): Promise<string | undefined> {
  for (const volume of members) {
    const path = volumePath(pool, monolith, volume);
    if ((await pool.run(["btrfs", "subvolume", "list", "-o", path])).trim() !== "")
      return `volume ${volume} holds subvolumes of its own, which are left out`;
  }
  return undefined;
}

async function rollBackVolume(
  pool: BtrfsPool,
  what: { readonly monolith: MonolithName; readonly volume: VolumeName; readonly origin: string },
  signal: AbortSignal,
): Promise<void> {
  const { run } = pool;
  const path = volumePath(pool, what.monolith, what.volume);
  // Absent in a rollback that was interrupted, or of a volume that was destroyed since.
  const quota = (await exists(path)) ? (await readSubvolume(run, path)).quotaBytes : undefined;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await replaceWhole(pool, { path, origin: what.origin }, signal, (partial) =>
    setQuota(run, partial, quota, signal),
  );
}

/** Two commands for however many there are. */
async function readParts(
  { run, mountPoint, snapshots }: BtrfsPool,
  monolith: MonolithName,
): Promise<readonly Part[]> {
  const top = `${snapshots.slice(mountPoint.length + 1)}/${checkLabel("monolith", monolith)}/`;
  const listed = await run(["btrfs", "subvolume", "list", "-o", "-c", "-u", mountPoint]);
  const mine = parseSubvolumes(listed).filter(({ path }) => path.startsWith(top));
  if (mine.length === 0) return [];
  const exclusive = parseExclusive(await run(["btrfs", "qgroup", "show", "--raw", mountPoint]));
  const names = [...new Set(mine.map(({ path }) => nameIn(path, top)))];
  const parts = names
    .filter((name) => !name.startsWith(PARTIAL_PREFIX))
    .map(async (name): Promise<readonly Part[]> => {
      const found = mine.filter(({ path }) => nameIn(path, top) === name);
      const taken = await readTaken(join(mountPoint, top, name));
      // Each was made in a transaction of its own, while nothing wrote.
      const transaction = Math.max(...found.map(({ madeIn }) => madeIn));
      return found.map(({ id, uuid, path }) => ({
        ...{ name, guid: uuid, transaction, clones: [], ...taken },
        volume: path.slice(top.length + name.length + 1) as VolumeName,
        usedBytes: exclusive.get(id) ?? 0,
      }));
    });
  return (await Promise.all(parts)).flat();
}

function nameIn(path: string, top: string): string {
  return path.slice(top.length).split("/")[0] ?? "";
}

async function readTaken(path: string): Promise<Pick<Part, "createdAtMs" | "members" | "reason">> {
  const text = await readRecord(join(path, RECORD));
  return text === undefined ? { createdAtMs: 0 } : (JSON.parse(text) as Taken);
}

/** Takes the name away first: what is half destroyed is never seen. */
async function destroyDirectory(pool: BtrfsPool, path: string, signal: AbortSignal): Promise<void> {
  const partial = partialPath(path);
  await pool.making.alone(partial, async () => {
    await emptyDirectory(pool, partial, signal);
    await rename(path, partial);
    await emptyDirectory(pool, partial, signal);
  });
}

async function emptyDirectory(
  { run }: BtrfsPool,
  path: string,
  signal?: AbortSignal,
): Promise<void> {
  for (const name of (await listNames(path)).filter(isLabel))
    await destroySubvolume(run, join(path, name), signal);
  await rm(path, { recursive: true, force: true });
}
