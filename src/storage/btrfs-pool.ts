// The embedded pool as its verbs see it, and the look each of them begins with.

import type { Run } from "../command.js";
import { HengeError } from "../errors.js";

import { checkMounted } from "./loop-mount.js";
import type { Making } from "./making.js";
import { recordPath } from "./pool-file.js";
import { readRecord } from "./record.js";

export interface BtrfsOptions {
  /** Absolute path of the pool's file; `FILE.uuid` beside it remembers which pool it is. */
  readonly poolFile: string;
  /** Absolute directory the pool is mounted at; its parent belongs to root alone. */
  readonly mountPoint: string;
  /** Size of a pool that is made; the file is sparse. An existing pool keeps its size. */
  readonly sizeBytes: number;
  readonly run: Run;
}

export interface BtrfsPool extends BtrfsOptions {
  /** Directories of the pool: `volumes/MONOLITH/VOLUME`, `images/IMAGE.DIGEST`, `snapshots/MONOLITH/NAME/VOLUME`. */
  readonly volumes: string;
  readonly images: string;
  readonly snapshots: string;
  readonly making: Making;
}

/** Every other verb begins here: a directory where the pool should be mounted is never taken for an empty pool. */
export async function checkPool(pool: BtrfsPool): Promise<void> {
  const uuid = await readRecord(recordPath(pool.poolFile));
  if (uuid === undefined)
    throw new HengeError("WRONG_STATE", `cannot use the pool ${pool.poolFile}: it was never made`);
  await checkMounted(pool, uuid);
}
