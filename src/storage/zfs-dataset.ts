// Datasets of a ZFS pool: found, listed, checked to be mounted, destroyed. Their names are built by zfs-names.

import { HengeError } from "../errors.js";
import type { Run } from "../command.js";

import { readMountAt } from "./mounts.js";
import { listArgv } from "./zfs-names.js";
import { isMissingDataset, parseDatasets } from "./zfs-parse.js";
import type { Dataset } from "./zfs-parse.js";

export async function findDataset(run: Run, name: string): Promise<Dataset | undefined> {
  return (await listOrNone(run, name, 0))[0];
}

/** Empty when there is no such dataset. */
export async function listChildren(run: Run, parent: string): Promise<readonly Dataset[]> {
  return (await listOrNone(run, parent, 1)).filter(({ name }) => name !== parent);
}

/** With its snapshots (-r), never with clones made of them. Idempotent. */
export async function destroyDataset(run: Run, name: string, signal: AbortSignal): Promise<void> {
  if ((await findDataset(run, name)) !== undefined)
    await run(["zfs", "destroy", "-r", name], { signal });
}

/** @throws {HengeError} WRONG_STATE: it is not mounted at `path`, or something else is */
export async function checkDatasetMounted(name: string, path: string): Promise<void> {
  const mount = await readMountAt(path);
  if (mount?.type === "zfs" && mount.source === name && mount.root === "/") return;
  throw new HengeError(
    "WRONG_STATE",
    `cannot use the dataset ${name}: it is not mounted at ${path}`,
  );
}

/**
 * The f_fsid of statfs(2), for that is what a warden can read from a descriptor: 16 hex digits, its first word first.
 * It is the dataset's fsid guid (56 bits, kept over export and import), not its `guid` property.
 */
export async function readFsid(run: Run, path: string): Promise<string> {
  return (await run(["stat", "--file-system", "--format=%i", path])).trim().padStart(16, "0");
}

async function listOrNone(run: Run, name: string, depth: number): Promise<readonly Dataset[]> {
  try {
    return parseDatasets(await run(listArgv(name, depth)));
  } catch (error) {
    if (isMissingDataset(error)) return [];
    throw error;
  }
}
