// Subvolumes of a btrfs pool: made whole or not at all, read, limited, destroyed. Their paths are built by the driver.

import { readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";

import { CommandError, HengeError, KernelError, errnoOf } from "../errors.js";
import type { Run } from "../command.js";

import { parseSubvolumeShow } from "./btrfs-parse.js";
import type { Subvolume } from "./btrfs-parse.js";
import type { Making } from "./making.js";
import { PARTIAL_PREFIX } from "./names.js";
import { capacityError } from "./unpack.js";

/** Every subvolume's top directory has this inode, and no other directory has. */
const TOP_INODE = 256;
const DISK_DEADLINE_MS = 5 * 60_000;

interface Maker {
  readonly run: Run;
  readonly making: Making;
}

interface Place {
  readonly path: string;
  /** The subvolume it begins as a copy of; empty when absent. */
  readonly origin?: string;
}

type Fill = (partial: string) => Promise<void>;

/**
 * Makes a subvolume under a name nobody looks at, fills it, and only then gives it its name, which is on the disk when
 * this returns. Data that `fill` writes is for it to sync. Does nothing when there is one already: somebody else may just
 * have made it.
 */
export async function makeWhole(
  { run, making }: Maker,
  place: Place,
  signal: AbortSignal,
  fill: Fill,
): Promise<void> {
  await making.alone(partialPath(place.path), async () => {
    signal.throwIfAborted();
    if (!(await exists(place.path))) await makeAt(run, place, signal, fill);
  });
}

/** The same in the place of one that may be there: it is gone only when the new one has its name. */
export async function replaceWhole(
  { run, making }: Maker,
  place: Place,
  signal: AbortSignal,
  fill: Fill,
): Promise<void> {
  const old = `${partialPath(place.path)}.old`;
  await making.alone(partialPath(place.path), () =>
    making.alone(old, async () => {
      await destroySubvolume(run, old, signal); // of an attempt that was killed
      await makeAt(run, place, signal, fill, async () => {
        if (await exists(place.path)) await rename(place.path, old);
      });
      await destroySubvolume(run, old, signal);
    }),
  );
}

async function makeAt(
  run: Run,
  { path, origin }: Place,
  signal: AbortSignal,
  fill: Fill,
  giveWay: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const partial = partialPath(path);
  try {
    await destroySubvolume(run, partial, signal); // of an attempt that was killed
    const from = origin === undefined ? (["create"] as const) : (["snapshot", origin] as const);
    await run(["btrfs", "subvolume", ...from, partial], { signal });
    await fill(partial);
    await giveWay();
    await rename(partial, path);
    await syncPool(run, path, signal);
  } catch (error) {
    await destroySubvolume(run, partial).catch(() => undefined); // else pool.ensure removes it
    throw capacityError(`make ${path}`, error);
  }
}

/** Takes the name away first: what is half destroyed is never seen. Idempotent. */
export async function destroy(
  { run, making }: Maker,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  const partial = partialPath(path);
  await making.alone(partial, async () => {
    if (!(await exists(path))) return;
    await destroySubvolume(run, partial, signal);
    await rename(path, partial);
    await destroySubvolume(run, partial, signal);
  });
}

export async function destroySubvolume(
  run: Run,
  path: string,
  signal?: AbortSignal,
): Promise<void> {
  if (!(await exists(path))) return;
  const options = { timeoutMs: DISK_DEADLINE_MS, ...(signal === undefined ? {} : { signal }) };
  try {
    await run(["btrfs", "subvolume", "delete", "--commit-after", path], options);
  } catch (error) {
    if (!(error instanceof CommandError) || !/not empty|Not a Btrfs subvolume/.test(error.stderr))
      throw error;
    // A cell may have made subvolumes of its own in there; rmdir(2) removes an emptied one (since Linux 4.18).
    await rm(path, { recursive: true, force: true });
  }
}

/** What earlier attempts left there; not what is just being made. */
export async function removePartial(
  { run, making }: Maker,
  parent: string,
  signal: AbortSignal,
): Promise<void> {
  for (const name of await listNames(parent)) {
    const path = join(parent, name);
    if (name.startsWith(PARTIAL_PREFIX) && !making.has(path))
      await making.alone(path, () => destroySubvolume(run, path, signal));
  }
}

/** @throws {HengeError} WRONG_STATE: there is none, or it is a plain directory */
export async function readSubvolume(run: Run, path: string): Promise<Subvolume> {
  const found = await stat(path).catch(() => undefined);
  if (found?.ino !== TOP_INODE) {
    throw new HengeError(
      "WRONG_STATE",
      `cannot use ${path}: ${found === undefined ? "it does not exist" : "it is not a subvolume"}`,
    );
  }
  return parseSubvolumeShow(await run(["btrfs", "subvolume", "show", "--raw", path]));
}

/** Also of one that was just made of another: it has the same limit. */
export async function setQuota(
  run: Run,
  path: string,
  quotaBytes: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  const limit = quotaBytes === undefined ? "none" : String(quotaBytes);
  await run(["btrfs", "qgroup", "limit", limit, path], { signal });
  const seen = (await readSubvolume(run, path)).quotaBytes;
  if (seen !== quotaBytes) {
    throw new HengeError(
      "KERNEL_REFUSED",
      `cannot set the quota of ${path} to ${limit}: it reads ${String(seen ?? "none")}`,
    );
  }
}

export async function syncPool(run: Run, path: string, signal: AbortSignal): Promise<void> {
  await run(["btrfs", "filesystem", "sync", path], { timeoutMs: DISK_DEADLINE_MS, signal });
}

export function partialPath(path: string): string {
  const cut = path.lastIndexOf("/") + 1;
  return `${path.slice(0, cut)}${PARTIAL_PREFIX}${path.slice(cut)}`;
}

export async function listNames(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw new KernelError("read", errnoOf(error), { cause: error, path: directory });
  }
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
