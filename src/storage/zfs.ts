// The ZFS driver: a dataset per volume and image below one that Henge was given. Names and parsing are in zfs-names
// and zfs-parse; this file has met recorded output only, not yet a host with ZFS.

import { mkdir } from "node:fs/promises";

import { CommandError, HengeError } from "../errors.js";
import { isLabel } from "../spec/index.js";
import type { Run } from "../command.js";
import type { ImageName, MonolithName, MountSource, VolumeName } from "../spec/index.js";

import type { VolumeDriver } from "./driver.js";
import { readRecord, writeRecord } from "./record.js";
import { capacityError, unpackImage } from "./unpack.js";
import {
  checkDatasetMounted,
  destroyDataset,
  findDataset,
  listChildren,
  readFsid,
} from "./zfs-dataset.js";
import {
  createLeafArgv,
  createParentArgv,
  createTopArgv,
  isPartialDataset,
  lastPart,
  parseImageDataset,
  partialDataset,
  setQuotaArgv,
  zfsNames,
} from "./zfs-names.js";
import type { ZfsNames } from "./zfs-names.js";
import { parsePools } from "./zfs-parse.js";
import type { Dataset } from "./zfs-parse.js";

/** ZFS_SUPER_MAGIC of statfs(2). */
const ZFS_FS_TYPE = 0x2fc12fc1;
const CLEANUP_DEADLINE_MS = 60_000;

export interface ZfsOptions {
  /** Made when missing; its parent exists, e.g. `tank/henge` in pool `tank`. */
  readonly dataset: string;
  /** Absolute directory; `DIRECTORY.guid` beside it remembers which dataset it is. */
  readonly mountPoint: string;
  readonly run: Run;
}

interface Top extends ZfsOptions {
  readonly names: ZfsNames;
  readonly record: string;
}

/** A driver of a ZFS pool. It is written to the same contract as the embedded pool, but has not met a real pool yet. */
export function createZfsDriver(options: ZfsOptions): VolumeDriver {
  const top: Top = {
    ...options,
    names: zfsNames(options.dataset),
    record: `${options.mountPoint}.guid`,
  };
  return { ...poolVerbs(top), ...volumeListVerbs(top), ...volumeVerbs(top), ...imageVerbs(top) };
}

function pathOf({ names, mountPoint }: Top, dataset: string): string {
  return `${mountPoint}${dataset.slice(names.top.length)}`;
}

/** Every other verb begins here: the dataset must be the one that was made here. */
async function checkTop(top: Top): Promise<Dataset> {
  const [recorded, found] = [
    await readRecord(top.record),
    await findDataset(top.run, top.names.top),
  ];
  if (recorded === undefined || found?.guid !== recorded) throw foreignTop(top);
  return found;
}

async function checkPoolHealth({ run, names }: Top): Promise<void> {
  const pool = names.top.split("/")[0] ?? names.top;
  const found = parsePools(await run(["zpool", "list", "-Hp", "-o", "name,health"])).find(
    ({ name }) => name === pool,
  );
  if (found !== undefined && ["ONLINE", "DEGRADED"].includes(found.health)) return;
  const why = found === undefined ? "it is not imported" : `it is ${found.health}`;
  throw new HengeError("WRONG_STATE", `cannot use the ZFS pool ${pool}: ${why}`);
}

async function ensureTop(top: Top, signal: AbortSignal): Promise<void> {
  const { run, mountPoint, record } = top;
  const name = top.names.top;
  const [recorded, found] = [await readRecord(record), await findDataset(run, name)];
  if (found === undefined && recorded === undefined)
    await run(createTopArgv(name, mountPoint), { signal });
  const made = found ?? (await findDataset(run, name));
  if (made === undefined || (recorded !== undefined && recorded !== made.guid))
    throw foreignTop(top);
  // A dataset that was here before, but not as Henge makes it, is somebody else's.
  const mountpoint = await run(["zfs", "get", "-Hp", "-o", "value", "mountpoint", name], {
    signal,
  });
  if (mountpoint.trimEnd() !== mountPoint) throw foreignTop(top);
  if (recorded === undefined) await writeRecord(record, made.guid);
}

function foreignTop({ names, record }: Top): HengeError {
  return new HengeError(
    "WRONG_STATE",
    `cannot use the dataset ${names.top}: it is not the one that was made here`,
    {
      hint: `bring it back, or remove ${record} to begin with an empty one`,
    },
  );
}

async function listLeaves({ run, names }: Top): Promise<readonly Dataset[]> {
  const all = [...(await listChildren(run, names.images))];
  for (const { name } of await listChildren(run, names.volumes))
    all.push(...(await listChildren(run, name)));
  return all;
}

async function readSource(
  top: Top,
  dataset: string,
): Promise<{ readonly found: Dataset; readonly mount: MountSource }> {
  await checkTop(top);
  const found = await findDataset(top.run, dataset);
  if (found === undefined)
    throw new HengeError("WRONG_STATE", `cannot use the dataset ${dataset}: it does not exist`);
  const path = pathOf(top, dataset);
  await checkDatasetMounted(dataset, path);
  return { found, mount: { path, fsType: ZFS_FS_TYPE, identity: await readFsid(top.run, path) } };
}

function poolVerbs(top: Top): Pick<VolumeDriver, "ensurePool" | "facts" | "closePool"> {
  const { run, mountPoint, names } = top;
  return {
    async ensurePool(signal) {
      await checkPoolHealth(top);
      await mkdir(mountPoint, { recursive: true, mode: 0o700 });
      await ensureTop(top, signal);
      for (const parent of [names.volumes, names.images])
        await run(createParentArgv(parent), { signal });
      const partial = (await listChildren(run, names.images)).filter(({ name }) =>
        isPartialDataset(name),
      );
      for (const { name } of partial) await destroyDataset(run, name, signal);
      const unmounted = (await listLeaves(top)).filter(({ mounted }) => !mounted);
      for (const { name } of unmounted) await run(["zfs", "mount", name], { signal });
    },
    async facts() {
      const { usedBytes, availableBytes } = await checkTop(top);
      for (const { name } of await listLeaves(top))
        await checkDatasetMounted(name, pathOf(top, name));
      return {
        driver: "zfs",
        path: mountPoint,
        totalBytes: usedBytes + availableBytes,
        freeBytes: availableBytes,
      };
    },
    async closePool() {
      const mounted = (await listLeaves(top)).filter((leaf) => leaf.mounted);
      for (const { name } of mounted) {
        await run(["zfs", "unmount", name]).catch((error: unknown) => {
          if (!(error instanceof CommandError) || !error.stderr.includes("busy")) throw error;
          throw new HengeError("BUSY", `cannot unmount the dataset ${name}: it is in use`, {
            cause: error,
          });
        });
      }
    },
  };
}

function volumeListVerbs(top: Top): Pick<VolumeDriver, "listMonoliths" | "listVolumes"> {
  const { run, names } = top;
  return {
    async listMonoliths() {
      await checkTop(top);
      const found: MonolithName[] = [];
      for (const { name } of await listChildren(run, names.volumes)) {
        if ((await listChildren(run, name)).length > 0) found.push(lastPart(name) as MonolithName);
      }
      return found.sort();
    },
    async listVolumes(monolith) {
      const parent = names.monolith(monolith);
      await checkTop(top);
      const mine = (await listChildren(run, parent)).filter(({ name }) => isLabel(lastPart(name)));
      return mine.map(({ name, quotaBytes }) => ({
        name: lastPart(name) as VolumeName,
        ...(quotaBytes === undefined ? {} : { quotaBytes }),
      }));
    },
  };
}

function volumeVerbs(
  top: Top,
): Pick<VolumeDriver, "createVolume" | "resizeVolume" | "destroyVolume" | "volumeSource"> {
  const { run, names } = top;
  return {
    async createVolume(monolith, volume, signal) {
      const dataset = names.volume(monolith, volume.name);
      signal.throwIfAborted();
      await checkTop(top);
      if ((await findDataset(run, dataset)) !== undefined) {
        throw new HengeError(
          "WRONG_STATE",
          `cannot create volume ${volume.name} of ${monolith}: it exists`,
        );
      }
      await run(createParentArgv(names.monolith(monolith)), { signal });
      await run(createLeafArgv(dataset, volume.quotaBytes), { signal });
      await run(["zfs", "mount", dataset], { signal }); // when killed before, ensurePool does it
    },
    async resizeVolume(monolith, volume, signal) {
      const { found } = await readSource(top, names.volume(monolith, volume.name));
      await run(setQuotaArgv(found.name, volume.quotaBytes), { signal });
    },
    async destroyVolume(monolith, volume, signal) {
      const [dataset, parent] = [names.volume(monolith, volume), names.monolith(monolith)];
      await checkTop(top);
      await destroyDataset(run, dataset, signal);
      if (
        (await findDataset(run, parent)) === undefined ||
        (await listChildren(run, parent)).length > 0
      )
        return;
      await run(["zfs", "destroy", parent], { signal });
    },
    async volumeSource(monolith, volume) {
      return (await readSource(top, names.volume(monolith, volume))).mount;
    },
  };
}

function imageVerbs(
  top: Top,
): Pick<VolumeDriver, "importImage" | "listImages" | "imageSource" | "destroyImage"> {
  const { run, names } = top;
  return {
    async importImage(image, archive, digest, signal) {
      const dataset = names.image(image, digest);
      const partial = partialDataset(dataset);
      signal.throwIfAborted();
      await checkTop(top);
      if ((await findDataset(run, dataset)) !== undefined) return;
      try {
        await fillPartial(top, partial, { image, archive, digest }, signal);
        await run(["zfs", "rename", partial, dataset], { signal });
        await run(["zfs", "mount", dataset], { signal });
      } catch (error) {
        const patience = AbortSignal.timeout(CLEANUP_DEADLINE_MS);
        await destroyDataset(run, partial, patience).catch(() => undefined); // else ensurePool removes it
        throw capacityError(`import image ${image}`, error);
      }
    },
    async listImages() {
      await checkTop(top);
      const all = (await listChildren(run, names.images)).map(({ name }) =>
        parseImageDataset(name),
      );
      return all.filter((image) => image !== undefined);
    },
    async imageSource(image, digest) {
      const { found, mount } = await readSource(top, names.image(image, digest));
      if (found.readOnly) return mount;
      throw new HengeError(
        "WRONG_STATE",
        `cannot use image ${image}: somebody made ${found.name} writable`,
      );
    },
    async destroyImage(image, digest, signal) {
      const dataset = names.image(image, digest);
      await checkTop(top);
      await destroyDataset(run, dataset, signal);
    },
  };
}

async function fillPartial(
  top: Top,
  partial: string,
  source: { readonly image: ImageName; readonly archive: string; readonly digest: string },
  signal: AbortSignal,
): Promise<void> {
  const { run } = top;
  await destroyDataset(run, partial, signal); // of an attempt that was killed
  await run(createLeafArgv(partial), { signal });
  await run(["zfs", "mount", partial], { signal });
  await unpackImage(run, { ...source, directory: pathOf(top, partial) }, signal);
  await run(["zfs", "unmount", partial], { signal }); // has all of it on disk
  await run(["zfs", "set", "readonly=on", partial], { signal });
}
