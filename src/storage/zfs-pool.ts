// The dataset Henge was given and the pool it is in: made once, marked as this daemon's, and missed when it is another.

import { HengeError } from "../errors.js";
import type { Run } from "../command.js";

import type { Making } from "./making.js";
import { readRecord, writeRecord } from "./record.js";
import { capacityError } from "./unpack.js";
import { destroyDataset, findByGuid, findDataset, listTree } from "./zfs-dataset.js";
import {
  OWNER_PROPERTY,
  createParentArgv,
  createTopArgv,
  isPartialDataset,
  poolOf,
} from "./zfs-names.js";
import type { ZfsNames } from "./zfs-names.js";
import { parsePools } from "./zfs-parse.js";
import type { Dataset } from "./zfs-parse.js";

export interface ZfsPool {
  readonly names: ZfsNames;
  /** File that remembers which dataset it is. */
  readonly record: string;
  /** Which daemon of which host this is: no other may use the dataset. */
  readonly owner: string;
  readonly run: Run;
  /** Images that are being filled. */
  readonly making: Making;
}

/** Every other verb begins here: the dataset must be the one that was made here. */
export async function checkTop(pool: ZfsPool): Promise<Dataset> {
  const recorded = await readRecord(pool.record);
  const found = await findDataset(pool.run, pool.names.top);
  if (found === undefined) await refuseAbsentPool(pool);
  if (recorded === undefined || found?.guid !== recorded) throw await foreignTop(pool, recorded);
  return found;
}

/** Makes what is missing where nothing was made before, and removes images that never became whole. */
export async function ensureTop(pool: ZfsPool, signal: AbortSignal): Promise<void> {
  const { run, names, making } = pool;
  await refuseAbsentPool(pool);
  const known = (await listTree(run, names.top, 2)).map(
    (dataset) => [dataset.name, dataset] as const,
  );
  const made = new Map(known);
  await ensureOwnTop(pool, made.get(names.top), signal);
  for (const parent of [names.volumes, names.images].filter((name) => !made.has(name)))
    await run(createParentArgv(parent), { signal }).catch((error: unknown) => {
      throw capacityError(`make the dataset ${parent}`, error);
    });
  for (const name of made.keys())
    if (name.startsWith(`${names.images}/`) && isPartialDataset(name) && !making.has(name))
      await making.alone(name, () => destroyDataset(run, name, signal));
}

async function ensureOwnTop(
  pool: ZfsPool,
  known: Dataset | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { run, names, record, owner } = pool;
  const recorded = await readRecord(record);
  let found = known;
  if (recorded === undefined && found === undefined) {
    await run(createTopArgv(names.top, owner), { signal });
    found = await findDataset(run, names.top);
  }
  if (found === undefined || (recorded !== undefined && recorded !== found.guid))
    throw await foreignTop(pool, recorded);
  if (found.owner !== owner) throw ownedByAnother(pool, found.owner);
  if (recorded === undefined) await writeRecord(record, found.guid);
}

async function refuseAbsentPool(zfsPool: ZfsPool): Promise<void> {
  const { run, names, record } = zfsPool;
  const pool = poolOf(names.top);
  const found = parsePools(await run(["zpool", "list", "-Hp", "-o", "name,health"])).find(
    ({ name }) => name === pool,
  );
  if (found !== undefined && ["ONLINE", "DEGRADED"].includes(found.health)) return;
  const recorded = await readRecord(record);
  if (found === undefined && recorded !== undefined && (await findByGuid(run, recorded)))
    throw await foreignTop(zfsPool, recorded);
  const why = found === undefined ? "it is not imported" : `it is ${found.health}`;
  throw new HengeError("WRONG_STATE", `cannot use the ZFS pool ${pool}: ${why}`, {
    hint:
      found === undefined
        ? `zpool import ${pool}; cells that wait for it start by themselves then`
        : `zpool status ${pool} says why; when its devices are back, zpool clear ${pool}`,
  });
}

async function foreignTop({ run, names, record }: ZfsPool, recorded?: string): Promise<HengeError> {
  const moved = recorded === undefined ? undefined : await findByGuid(run, recorded);
  const why =
    moved === undefined ? "it is not the one that was made here" : `that was made here is ${moved}`;
  const text =
    moved === undefined
      ? `cannot use the dataset ${names.top}: ${why}`
      : `cannot use the dataset ${names.top}: the one ${why} now`;
  const hint =
    moved === undefined
      ? `bring it back, or remove ${record} to begin with an empty one`
      : `zfs rename ${moved} ${names.top}, or start henged with --zfs ${moved}`;
  return new HengeError("WRONG_STATE", text, { hint });
}

function ownedByAnother({ names, owner }: ZfsPool, marked?: string): HengeError {
  const whose =
    marked === undefined ? "Henge did not make it" : `it belongs to the daemon ${marked}`;
  return new HengeError("WRONG_STATE", `cannot use the dataset ${names.top}: ${whose}`, {
    hint: `name a dataset that does not exist yet; to take this one over, when no other daemon uses it: zfs set ${OWNER_PROPERTY}=${owner} ${names.top}`,
  });
}
