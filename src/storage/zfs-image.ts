// Images in a ZFS pool: a read-only dataset each, filled under another name and at a mount of its own.

import { mkdir, rmdir } from "node:fs/promises";
import { join } from "node:path";

import type { Run } from "../command.js";
import { HengeError } from "../errors.js";
import { directoryFiles } from "../root-files.js";
import type { RootFiles } from "../root-files.js";

import { readMountAt } from "./mounts.js";
import { imageFileName } from "./names.js";
import type { ImagesPort } from "./port.js";
import { capacityError, unpackImage } from "./unpack.js";
import type { Unpacking } from "./unpack.js";
import { destroyDataset, findDataset, listChildren } from "./zfs-dataset.js";
import { createLeafArgv, parseImageDataset, partialDataset } from "./zfs-names.js";
import { checkTop } from "./zfs-pool.js";
import type { ZfsPool } from "./zfs-pool.js";
import { datasetSource } from "./zfs-source.js";
import type { Identify } from "./zfs-source.js";

const CLEANUP_DEADLINE_MS = 60_000;
const UNMOUNT_DEADLINE_MS = 5 * 60_000;

/** @param workshop absolute directory; in it a dataset is mounted while it is filled; its parent belongs to root alone */
export function zfsImages(pool: ZfsPool, identify: Identify, workshop: string): ImagesPort {
  const { run, names, making } = pool;
  return {
    async import(image, archive, digest, signal) {
      const dataset = names.image(image, digest);
      const partial = partialDataset(dataset);
      const directory = join(workshop, imageFileName(image, digest));
      await making.alone(partial, async () => {
        signal.throwIfAborted();
        await checkTop(pool);
        if ((await findDataset(run, dataset)) !== undefined) return;
        try {
          await fill(pool, partial, { name: image, archive, digest, directory }, signal);
          await run(["zfs", "rename", partial, dataset], { signal });
        } catch (error) {
          const patience = AbortSignal.timeout(CLEANUP_DEADLINE_MS);
          await destroyDataset(run, partial, patience).catch(() => undefined); // else pool.ensure removes it
          throw capacityError(`import image ${image}`, error);
        }
      });
    },
    async list() {
      await checkTop(pool);
      const all = await listChildren(run, names.images);
      return all.map(({ name }) => parseImageDataset(name)).filter((image) => image !== undefined);
    },
    async source(image, digest) {
      const { found, source } = await datasetSource(pool, identify, names.image(image, digest));
      if (found.readOnly) return source;
      throw new HengeError(
        "WRONG_STATE",
        `cannot use image ${image}: somebody made ${found.name} writable`,
      );
    },
    async look(image, digest, act, signal) {
      const dataset = names.image(image, digest);
      await checkTop(pool);
      return making.alone(`${dataset}/look`, () =>
        lookInto(run, dataset, join(workshop, `look-${imageFileName(image, digest)}`), act, signal),
      );
    },
    async destroy(image, digest, signal) {
      const dataset = names.image(image, digest);
      await checkTop(pool);
      await destroyDataset(run, dataset, signal);
    },
  };
}

/** ZFS mounts what is read-only and in use as it is mounted already: read-only. */
async function lookInto<T>(
  run: Run,
  dataset: string,
  directory: string,
  act: (files: RootFiles) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const unmount = () => run(["umount", directory], { timeoutMs: UNMOUNT_DEADLINE_MS });
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if ((await readMountAt(directory)) !== undefined) await unmount(); // of a daemon that was killed
  try {
    await run(["mount", "-t", "zfs", "-o", "ro,nosuid,nodev,noexec", dataset, directory], {
      signal,
    });
    return await act(directoryFiles(directory)).finally(unmount);
  } finally {
    await rmdir(directory);
  }
}

async function fill(
  { run }: ZfsPool,
  partial: string,
  job: Unpacking,
  signal: AbortSignal,
): Promise<void> {
  const { directory } = job;
  await destroyDataset(run, partial, signal); // of an attempt that was killed
  await run(createLeafArgv(partial), { signal });
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await run(["mount", "-t", "zfs", "-o", "nosuid,nodev", partial, directory], { signal });
  try {
    await unpackImage(run, job, signal);
  } finally {
    await run(["umount", directory], { timeoutMs: UNMOUNT_DEADLINE_MS }); // has all of it on disk
    await rmdir(directory);
  }
  await run(["zfs", "set", "readonly=on", partial], { signal });
}
