// What a cell mounts of a ZFS pool: a dataset by its name, its guid, and what a descriptor on it will tell.

import { CommandError, HengeError } from "../errors.js";
import type { Run } from "../command.js";
import type { MountSource } from "../spec/index.js";

import { findDataset } from "./zfs-dataset.js";
import type { Dataset } from "./zfs-parse.js";
import { checkTop } from "./zfs-pool.js";
import type { ZfsPool } from "./zfs-pool.js";

/** ZFS_SUPER_MAGIC of statfs(2). */
const ZFS_FS_TYPE = 0x2fc12fc1;

/**
 * The f_fsid of statfs(2), 16 hex digits, first word first: all a warden can read from a descriptor. Rename, rollback,
 * promotion, export and import keep it; a clone and a received copy have one of their own.
 */
export type Identify = (dataset: string, readOnly: boolean) => Promise<string>;

/**
 * @param helper absolute path of henge-helper, which can mount a dataset without attaching it anywhere
 * @param readOnly as the dataset is: ZFS mounts one that is in use only as it is mounted already
 */
export async function identifyDataset(
  run: Run,
  helper: string,
  dataset: string,
  readOnly: boolean,
): Promise<string> {
  return (await run([helper, readOnly ? "--sealed-fsid" : "--fsid", dataset])).trimEnd();
}

/** @throws {HengeError} WRONG_STATE: there is no such dataset, or it is not below the one that was made here */
export async function datasetSource(
  pool: ZfsPool,
  identify: Identify,
  dataset: string,
): Promise<{ readonly found: Dataset; readonly source: MountSource }> {
  await checkTop(pool);
  const found = await findDataset(pool.run, dataset);
  if (found === undefined)
    throw new HengeError("WRONG_STATE", `cannot use the dataset ${dataset}: it does not exist`);
  if (found.isLocked) await loadKey(pool.run, found);
  const identity = await identify(dataset, found.readOnly);
  return {
    found,
    source: { path: dataset, fsType: ZFS_FS_TYPE, identity, guid: found.guid },
  };
}

async function loadKey(run: Run, { name, encryptionRoot: root }: Dataset): Promise<void> {
  await run(["zfs", "load-key", root]).catch((error: unknown) => {
    const why = error instanceof CommandError ? (error.stderr.split("\n")[0] ?? "") : String(error);
    throw new HengeError(
      "WRONG_STATE",
      `cannot use the dataset ${name}: it is locked, and the key of ${root} cannot be loaded: ${why}`,
      {
        cause: error,
        hint: `put the key back, or zfs load-key ${root}; cells that wait for it start by themselves then`,
      },
    );
  });
}
