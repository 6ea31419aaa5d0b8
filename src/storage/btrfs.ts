// The embedded driver: a btrfs pool in one sparse file, a subvolume per volume and image, quotas by quota group.

import { mkdir, readdir, rmdir, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";

import { HengeError, KernelError, errnoOf } from "../errors.js";
import { isLabel } from "../spec/index.js";
import type {
  ImageName,
  MonolithName,
  MountSource,
  VolumeName,
  VolumeSpec,
} from "../spec/index.js";

import type { VolumeDriver } from "./driver.js";
import { btrfsSnapshots, removePartialSnapshots } from "./btrfs-snapshots.js";
import { readBtrfsHealth } from "./btrfs-health.js";
import { checkPool } from "./btrfs-pool.js";
import type { BtrfsOptions, BtrfsPool } from "./btrfs-pool.js";
import { closeMount, ensureMounted } from "./loop-mount.js";
import { Making } from "./making.js";
import { checkLabel, imageFileName, parseImageFileName } from "./names.js";
import { ensurePoolFile, recordPath } from "./pool-file.js";
import { readRecord } from "./record.js";
import {
  destroy,
  exists,
  listNames,
  makeWhole,
  readSubvolume,
  removePartial,
  setQuota,
} from "./subvolume.js";
import { unpackImage } from "./unpack.js";

/** BTRFS_SUPER_MAGIC of statfs(2). */
const BTRFS_FS_TYPE = 0x9123683e;

export interface BtrfsDriver extends VolumeDriver {
  /** Unmounts the embedded pool and detaches its loop device; nothing of it may be in use. */
  closePool(): Promise<void>;
}

/** A driver of the embedded pool. Nothing is touched before `ensurePool`. */
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
    keeps: [],
    isOneInstant: false,
    ...poolVerbs(pool),
    ...volumeListVerbs(pool),
    ...volumeVerbs(pool),
    ...imageVerbs(pool),
    ...btrfsSnapshots(pool),
  };
}

function poolVerbs(
  pool: BtrfsPool,
): Pick<BtrfsDriver, "ensurePool" | "facts" | "health" | "closePool"> {
  const { run, mountPoint, poolFile, volumes, images, snapshots } = pool;
  return {
    async ensurePool(signal) {
      const uuid = await ensurePoolFile(run, poolFile, pool.sizeBytes, signal);
      await ensureMounted(run, pool, uuid, signal);
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
    async closePool() {
      const uuid = await readRecord(recordPath(poolFile));
      if (uuid !== undefined) await closeMount(run, pool, uuid);
    },
  };
}

function volumeListVerbs(pool: BtrfsPool): Pick<VolumeDriver, "listMonoliths" | "listVolumes"> {
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
    async listVolumes(monolith) {
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
): Pick<VolumeDriver, "createVolume" | "setVolume" | "destroyVolume" | "volumeSource"> {
  const { run, volumes } = pool;
  const pathOf = (monolith: MonolithName, volume: VolumeName) =>
    join(volumes, checkLabel("monolith", monolith), checkLabel("volume", volume));
  return {
    async createVolume(monolith, volume, signal) {
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
      await makeWhole(pool, { path }, signal, (partial) =>
        setQuota(run, partial, volume.quotaBytes, signal),
      );
    },
    async setVolume(monolith, volume, signal) {
      const path = pathOf(monolith, volume.name);
      await checkPool(pool);
      await readSubvolume(run, path);
      await setQuota(run, path, volume.quotaBytes, signal);
    },
    async destroyVolume(monolith, volume, signal) {
      const path = pathOf(monolith, volume);
      await checkPool(pool);
      await destroy(run, path, signal);
      await removeIfEmpty(dirname(path));
    },
    async volumeSource(monolith, volume) {
      const path = pathOf(monolith, volume);
      await checkPool(pool);
      return source(path, (await readSubvolume(run, path)).uuid);
    },
  };
}

function imageVerbs(
  pool: BtrfsPool,
): Pick<VolumeDriver, "importImage" | "listImages" | "imageSource" | "destroyImage"> {
  const { run, images } = pool;
  const pathOf = (image: ImageName, digest: string) => join(images, imageFileName(image, digest));
  return {
    async importImage(image, archive, digest, signal) {
      const path = pathOf(image, digest);
      signal.throwIfAborted();
      await checkPool(pool);
      await makeWhole(pool, { path }, signal, async (directory) => {
        await unpackImage(run, { image, archive, digest, directory }, signal);
        await run(["btrfs", "property", "set", "-t", "subvol", directory, "ro", "true"], {
          signal,
        });
      });
    },
    async listImages() {
      await checkPool(pool);
      const names = (await readdir(images)).sort();
      return names.map(parseImageFileName).filter((image) => image !== undefined);
    },
    async imageSource(image, digest) {
      const path = pathOf(image, digest);
      await checkPool(pool);
      const { uuid, readOnly } = await readSubvolume(run, path);
      if (!readOnly)
        throw new HengeError(
          "WRONG_STATE",
          `cannot use image ${image} at ${path}: somebody made it writable`,
        );
      return source(path, uuid);
    },
    async destroyImage(image, digest, signal) {
      const path = pathOf(image, digest);
      await checkPool(pool);
      await destroy(run, path, signal);
    },
  };
}

function source(path: string, uuid: string): MountSource {
  return { path, fsType: BTRFS_FS_TYPE, identity: uuid, guid: uuid };
}

async function removeIfEmpty(directory: string): Promise<void> {
  await rmdir(directory).catch((error: unknown) => {
    const errno = errnoOf(error);
    if (errno !== "ENOTEMPTY" && errno !== "ENOENT")
      throw new KernelError("remove", errno, { cause: error, path: directory });
  });
}
