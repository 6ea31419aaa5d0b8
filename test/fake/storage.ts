// A pool in memory. It keeps the driver's contract; its paths exist nowhere.

import { HengeError } from "../../src/errors.js";
import { checkLabel, imageFileName, parseImageFileName } from "../../src/storage/names.js";
import type { Driver } from "../../src/storage/driver.js";
import {
  checkSnapshotName,
  findSnapshot,
  groupParts,
  nothingToSnapshot,
  partOf,
  snapshotExists,
} from "../../src/storage/snapshots.js";
import type { Part } from "../../src/storage/snapshots.js";
import type { RootFiles } from "../../src/root-files.js";
import type { MonolithName, MountSource, VolumeName, VolumeSpec } from "../../src/spec/index.js";

interface Dataset {
  readonly identity: string;
  readonly quotaBytes?: number;
}

export interface FakeDriver extends Driver {
  /** From now on the pool is not mounted, as after an administrator's umount. */
  unmount(): void;
  /** The volume is not the dataset it should be, e.g. a plain directory in its place. */
  replaceVolume(monolith: MonolithName, volume: VolumeName): void;
  /** Archives that are no root filesystem. */
  readonly badArchives: Set<string>;
}

const ROOT = "/fake/pool";

/** What every image in memory holds. */
export const FAKE_ROOT: RootFiles = {
  look: (path) => Promise.resolve(path === "/etc/motd" ? { kind: "file", mode: 0o644 } : undefined),
  read: () => Promise.resolve(Buffer.from("hello\n")),
};

export function createFakeDriver(): FakeDriver {
  const volumes = new Map<string, Dataset>();
  const images = new Map<string, Dataset>();
  const snapshots = new Map<MonolithName, Part[]>();
  const replaced = new Set<string>();
  const badArchives = new Set<string>();
  let mounted = false;
  let made = 0;

  const key = (monolith: MonolithName, volume: VolumeName) =>
    `${checkLabel("monolith", monolith)}/${checkLabel("volume", volume)}`;
  const nextIdentity = () => (++made).toString(16).padStart(32, "0");

  function checkPool(signal?: AbortSignal): void {
    signal?.throwIfAborted();
    if (!mounted)
      throw new HengeError("WRONG_STATE", `cannot use the pool at ${ROOT}: it is not mounted`);
  }
  function source(datasets: Map<string, Dataset>, directory: string, name: string): MountSource {
    checkPool();
    const found = datasets.get(name);
    if (found === undefined || replaced.has(name)) {
      throw new HengeError(
        "WRONG_STATE",
        `cannot use ${ROOT}/${directory}/${name}: it is not a dataset`,
      );
    }
    const { identity } = found;
    return { path: `${ROOT}/${directory}/${name}`, fsType: 0x9123683e, identity, guid: identity };
  }
  const setVolume = (name: string, identity: string, quotaBytes: number | undefined) =>
    volumes.set(name, { identity, ...(quotaBytes === undefined ? {} : { quotaBytes }) });

  const pool: Driver["pool"] = {
    keeps: [],
    isOneInstant: false,
    ensure: async (signal) => {
      signal.throwIfAborted();
      mounted = true;
    },
    facts: async () => {
      checkPool();
      return { driver: "btrfs", path: ROOT, totalBytes: 2 ** 30, freeBytes: 2 ** 29 };
    },
    health: async () => {
      checkPool();
      return { driver: "btrfs", path: ROOT, isReadOnly: false, errors: [] };
    },
  };
  const partsOf = (monolith: MonolithName) => snapshots.get(monolith) ?? [];
  const listed = (monolith: MonolithName) => groupParts(partsOf(monolith));
  const forget = (monolith: MonolithName, names: readonly string[]) =>
    snapshots.set(
      monolith,
      partsOf(monolith).filter(({ name }) => !names.includes(name)),
    );
  const volumesPort: Driver["volumes"] = {
    list: async (monolith) => {
      checkPool();
      const prefix = `${checkLabel("monolith", monolith)}/`;
      const mine = [...volumes]
        .filter(([name]) => name.startsWith(prefix))
        .sort(([a], [b]) => (a < b ? -1 : 1));
      return mine.map(([name, { quotaBytes }]): VolumeSpec => ({
        name: name.slice(prefix.length) as VolumeName,
        ...(quotaBytes === undefined ? {} : { quotaBytes }),
      }));
    },
    listMonoliths: async () => {
      checkPool();
      return [
        ...new Set([...volumes.keys()].map((name) => name.split("/")[0] as MonolithName)),
      ].sort();
    },
    create: async (monolith, volume, signal) => {
      const name = key(monolith, volume.name);
      checkPool(signal);
      if (volumes.has(name))
        throw new HengeError("WRONG_STATE", `cannot create volume ${name}: it exists`);
      setVolume(name, nextIdentity(), volume.quotaBytes);
    },
    set: async (monolith, volume, signal) => {
      const name = key(monolith, volume.name);
      checkPool(signal);
      setVolume(name, source(volumes, "volumes", name).identity, volume.quotaBytes);
    },
    destroy: async (monolith, volume, signal) => {
      const name = key(monolith, volume);
      checkPool(signal);
      volumes.delete(name);
      replaced.delete(name);
    },
    source: async (monolith, volume) => source(volumes, "volumes", key(monolith, volume)),
    clone: async (from, to, volume, signal) => {
      checkPool(signal);
      const { found } = findSnapshot(listed(from.monolith), from.monolith, from.snapshot);
      partOf(found, volume.name);
      await volumesPort.create(to, volume, signal);
    },
  };
  const imagesPort: Driver["images"] = {
    import: async (image, archive, digest, signal) => {
      const name = imageFileName(image, digest);
      checkPool(signal);
      if (images.has(name)) return;
      if (badArchives.has(archive)) {
        throw new HengeError(
          "MANIFEST_INVALID",
          `cannot use image ${image}: images.${image}.archive names ${archive}: it is bad`,
        );
      }
      images.set(name, { identity: nextIdentity() });
    },
    list: async () => {
      checkPool();
      return [...images.keys()]
        .sort()
        .map(parseImageFileName)
        .filter((image) => image !== undefined);
    },
    source: async (image, digest) => source(images, "images", imageFileName(image, digest)),
    look: async (image, digest, act) => {
      source(images, "images", imageFileName(image, digest));
      return act(FAKE_ROOT);
    },
    destroy: async (image, digest, signal) => {
      const name = imageFileName(image, digest);
      checkPool(signal);
      images.delete(name);
    },
  };
  const snapshotsPort: Driver["snapshots"] = {
    list: async (monolith) => {
      checkPool();
      return listed(monolith);
    },
    take: async (monolith, name, signal) => {
      checkSnapshotName(name);
      checkPool(signal);
      if (listed(monolith).some((known) => known.name === name))
        throw snapshotExists(monolith, name);
      const members = (await volumesPort.list(monolith)).map((volume) => volume.name);
      if (members.length === 0) throw nothingToSnapshot(monolith);
      const transaction = ++made;
      const taken = members.map((volume) => ({
        ...{ name, volume, members, transaction, usedBytes: 0, clones: [] },
        guid: nextIdentity(),
        createdAtMs: 1_000 * transaction,
      }));
      snapshots.set(monolith, [...partsOf(monolith), ...taken]);
    },
    destroy: async (monolith, name, signal) => {
      checkSnapshotName(name);
      checkPool(signal);
      findSnapshot(listed(monolith), monolith, name);
      forget(monolith, [name]);
    },
    rollBack: async (monolith, name, signal) => {
      checkSnapshotName(name);
      checkPool(signal);
      const { found, later } = findSnapshot(listed(monolith), monolith, name);
      for (const { volume } of found.volumes)
        setVolume(
          key(monolith, volume),
          nextIdentity(),
          volumes.get(key(monolith, volume))?.quotaBytes,
        );
      forget(
        monolith,
        later.map((snapshot) => snapshot.name),
      );
    },
  };
  return {
    pool,
    volumes: volumesPort,
    images: imagesPort,
    snapshots: snapshotsPort,
    badArchives,
    unmount: () => {
      mounted = false;
    },
    replaceVolume: (monolith, volume) => {
      replaced.add(key(monolith, volume));
    },
  };
}
