// Datasets of a ZFS pool: found, listed, destroyed. Their names are built by zfs-names.

import type { Run } from "../command.js";

import { listArgv } from "./zfs-names.js";
import { isMissingDataset, parseDatasets, parseGuids } from "./zfs-parse.js";
import type { Dataset } from "./zfs-parse.js";

export async function findDataset(run: Run, name: string): Promise<Dataset | undefined> {
  return (await listTree(run, name, 0))[0];
}

/** Empty when there is no such dataset. */
export async function listChildren(run: Run, parent: string): Promise<readonly Dataset[]> {
  return (await listTree(run, parent, 1)).filter(({ name }) => name !== parent);
}

/** What the dataset is called now, in whatever pool is imported. */
export async function findByGuid(run: Run, guid: string): Promise<string | undefined> {
  const all = await run(["zfs", "list", "-Hp", "-t", "filesystem", "-o", "name,guid"]);
  return parseGuids(all).find((dataset) => dataset.guid === guid)?.name;
}

/** With its snapshots (-r), never with clones made of them. Idempotent. */
export async function destroyDataset(run: Run, name: string, signal: AbortSignal): Promise<void> {
  if ((await findDataset(run, name)) !== undefined)
    await run(["zfs", "destroy", "-r", name], { signal });
}

/** The dataset and what is at most `depth` below it; empty when there is no such dataset. */
export async function listTree(run: Run, name: string, depth: number): Promise<readonly Dataset[]> {
  try {
    return parseDatasets(await run(listArgv(name, depth)));
  } catch (error) {
    if (isMissingDataset(error)) return [];
    throw error;
  }
}
