// The embedded driver: a btrfs pool in one sparse file, a subvolume per volume and image, quotas by quota group.

import { mkdir, rmdir, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";

import { HengeError, KernelError, errnoOf } from "../errors.js";
import { directoryFiles } from "../root-files.js";
import { isLabel } from "../spec/index.js";
import type {
  ImageName,
  MonolithName,
  MountSource,
  VolumeName,
  VolumeSpec,
} from "../spec/index.js";

import type { Driver, DriverVolumes } from "./driver.js";
import { btrfsSnapshots, cloneVerb, removePartialSnapshots } from "./btrfs-snapshots.js";
import { readBtrfsHealth } from "./btrfs-health.js";
import { checkPool } from "./btrfs-pool.js";
import type { BtrfsOptions, BtrfsPool } from "./btrfs-pool.js";
import { closeMount, countsQuotas, ensureMounted } from "./loop-mount.js";
import { Making } from "./making.js";
import { checkLabel, imageFileName, parseImageFileName } from "./names.js";
import { ensurePoolFile, recordPath } from "./pool-file.js";
import type { ImagesPort, PoolPort } from "./port.js";
import { readRecord } from "./record.js";
import {
  destroy,
  exists,
  listNames,
  makeWhole,
  readSubvolume,
  removePartial,
  setQuota,
  syncPool,
} from "./subvolume.js";
import { unpackImage } from "./unpack.js";

/** BTRFS_SUPER_MAGIC of statfs(2). */
const BTRFS_FS_TYPE = 0x9123683e;

export interface BtrfsDriver extends Driver {
  /** Unmounts the embedded pool and detaches its loop device; nothing of it may be in use. */
  closePool(): Promise<void>;
}

/** A driver of the embedded pool. Nothing is touched before `pool.ensure`. */
export function createBtrfsDriver(options: BtrfsOptions): BtrfsDriver {
  const within = (name: string): string => join(options.mountPoint, name);
  const pool: BtrfsPool = {
    ...options,
    volumes: within("volumes"),
    images: within("images"),
    snapshots: within("snapshots"),
    making: new Making(),
  };
  return {
    pool: poolVerbs(pool),
    volumes: { ...volumeListVerbs(pool), ...volumeVerbs(pool), clone: cloneVerb(pool) },
    images: imageVerbs(pool),
    snapshots: btrfsSnapshots(pool),
    async closePool() {
      const uuid = await readRecord(recordPath(pool.poolFile));
      if (uuid !== undefined) await closeMount(pool.run, pool, uuid);
    },
  };
}

function poolVerbs(pool: BtrfsPool): PoolPort {
  const { run, mountPoint, poolFile, volumes, images, snapshots } = pool;
  return {
    keeps: [],
    isOneInstant: false,
    async ensure(signal) {
      const uuid = await ensurePoolFile(run, poolFile, pool.sizeBytes, signal);
      await ensureMounted(run, pool, uuid, signal);
      if (!(await countsQuotas(uuid)))
        await run(["btrfs", "quota", "enable", mountPoint], { signal });
      for (const directory of [volumes, images, snapshots])
        await mkdir(directory, { recursive: true, mode: 0o700 });
      const monoliths = (await listNames(volumes))
        .filter(isLabel)
        .map((name) => join(volumes, name));
      for (const parent of [images, ...monoliths]) await removePartial(pool, parent, signal);
      await removePartialSnapshots(pool, signal);
    },
    async facts() {
      await checkPool(pool);
      const { bsize, blocks, bavail } = await statfs(mountPoint);
      return {
        driver: "btrfs",
        path: mountPoint,
        totalBytes: bsize * blocks,
        freeBytes: bsize * bavail,
      };
    },
    async health() {
      await checkPool(pool);
      return readBtrfsHealth(run, mountPoint);
    },
  };
}

function volumeListVerbs(pool: BtrfsPool): Pick<DriverVolumes, "listMonoliths" | "list"> {
  const { run, volumes } = pool;
  return {
    async listMonoliths() {
      await checkPool(pool);
      const found: MonolithName[] = [];
      for (const name of (await listNames(volumes)).filter(isLabel)) {
        if ((await listNames(join(volumes, name))).some(isLabel)) found.push(name as MonolithName);
      }
      return found.sort();
    },
    async list(monolith) {
      const directory = join(volumes, checkLabel("monolith", monolith));
      await checkPool(pool);
      const found: VolumeSpec[] = [];
      for (const name of (await listNames(directory)).filter(isLabel).sort()) {
        const { quotaBytes } = await readSubvolume(run, join(directory, name));
        found.push({
          name: name as VolumeName,
          ...(quotaBytes === undefined ? {} : { quotaBytes }),
        });
      }
      return found;
    },
  };
}

function volumeVerbs(
  pool: BtrfsPool,
): Pick<DriverVolumes, "create" | "set" | "destroy" | "source"> {
  const { run, volumes } = pool;
  const pathOf = (monolith: MonolithName, volume: VolumeName) =>
    join(volumes, checkLabel("monolith", monolith), checkLabel("volume", volume));
  return {
    async create(monolith, volume, signal) {
      const path = pathOf(monolith, volume.name);
      signal.throwIfAborted();
      await checkPool(pool);
      if (await exists(path)) {
        throw new HengeError(
          "WRONG_STATE",
          `cannot create volume ${volume.name} of ${monolith}: it exists`,
        );
      }
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await makeWhole(pool, { path }, signal, async (partial) => {
        if (volume.quotaBytes !== undefined)
          await setQuota(run, partial, volume.quotaBytes, signal);
      });
    },
    async set(monolith, volume, signal) {
      const path = pathOf(monolith, volume.name);
      await checkPool(pool);
      await readSubvolume(run, path);
      await setQuota(run, path, volume.quotaBytes, signal);
    },
    async destroy(monolith, volume, signal) {
      const path = pathOf(monolith, volume);
      await checkPool(pool);
      await destroy(pool, path, signal);
      await removeIfEmpty(dirname(path));
    },
    async source(monolith, volume) {
      const path = pathOf(monolith, volume);
      await checkPool(pool);
      return sourceAt(path, (await readSubvolume(run, path)).uuid);
    },
  };
}

function imageVerbs(pool: BtrfsPool): ImagesPort {
  const { run, images } = pool;
  const pathOf = (image: ImageName, digest: string) => join(images, imageFileName(image, digest));
  return {
    async import(image, archive, digest, signal) {
      const path = pathOf(image, digest);
      signal.throwIfAborted();
      await checkPool(pool);
      await makeWhole(pool, { path }, signal, async (directory) => {
        await unpackImage(run, { name: image, archive, digest, directory }, signal);
        await syncPool(run, directory, signal); // else its name could be on the disk before what it holds
        await run(["btrfs", "property", "set", "-t", "subvol", directory, "ro", "true"], {
          signal,
        });
      });
    },
    async list() {
      await checkPool(pool);
      const names = [...(await listNames(images))].sort();
      return names.map(parseImageFileName).filter((image) => image !== undefined);
    },
    async source(image, digest) {
      const path = pathOf(image, digest);
      await checkPool(pool);
      const { uuid, readOnly } = await readSubvolume(run, path);
      if (!readOnly)
        throw new HengeError(
          "WRONG_STATE",
          `cannot use image ${image} at ${path}: somebody made it writable`,
        );
      return sourceAt(path, uuid);
    },
    async look(image, digest, act) {
      const path = pathOf(image, digest);
      await checkPool(pool);
      if (!(await exists(path)))
        throw new HengeError("WRONG_STATE", `cannot look into image ${image}: it is not there`);
      return act(directoryFiles(path));
    },
    async destroy(image, digest, signal) {
      const path = pathOf(image, digest);
      await checkPool(pool);
      await destroy(pool, path, signal);
    },
  };
}

function sourceAt(path: string, uuid: string): MountSource {
  return { path, fsType: BTRFS_FS_TYPE, identity: uuid, guid: uuid };
}

async function removeIfEmpty(directory: string): Promise<void> {
  await rmdir(directory).catch((error: unknown) => {
    const errno = errnoOf(error);
    if (errno !== "ENOTEMPTY" && errno !== "ENOENT")
      throw new KernelError("remove", errno, { cause: error, path: directory });
  });
}
