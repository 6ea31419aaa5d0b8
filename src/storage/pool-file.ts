// The embedded pool's file: makes it once, and from then on insists on the very same pool.

import { randomUUID } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

import { syncDirectory } from "../atomic-file.js";
import { HengeError, KernelError, errnoOf } from "../errors.js";
import type { Run } from "../command.js";

import { SUPERBLOCK, parseSuperblockUuid } from "./btrfs-parse.js";
import { readRecord, writeRecord } from "./record.js";

const MAKE_DEADLINE_MS = 120_000;

/**
 * Returns the UUID of the file system in `poolFile`, and makes both when there is neither file nor record.
 * @throws {HengeError} WRONG_STATE: the pool is lost, or another file is in its place
 */
export async function ensurePoolFile(
  run: Run,
  poolFile: string,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<string> {
  const [recorded, found] = [await readRecord(recordPath(poolFile)), await readPoolUuid(poolFile)];
  if (found === undefined && recorded === undefined)
    await makePoolFile(run, poolFile, sizeBytes, signal);
  else if (found === undefined) throw lostPool(poolFile);
  else if (recorded !== undefined && recorded !== found) throw foreignPool(poolFile);
  const uuid = found ?? (await readPoolUuid(poolFile));
  if (uuid === undefined) throw lostPool(poolFile);
  // Also when it was made just now, or by a run that was killed before it came this far.
  if (recorded === undefined) await writeRecord(recordPath(poolFile), uuid);
  return uuid;
}

/** The record that outlives the pool's file. */
export function recordPath(poolFile: string): string {
  return `${poolFile}.uuid`;
}

/** Undefined when there is no file. */
async function readPoolUuid(poolFile: string): Promise<string | undefined> {
  const file = await open(poolFile, "r").catch((error: unknown) => {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw new KernelError("open", errnoOf(error), { cause: error, path: poolFile });
  });
  if (file === undefined) return undefined;
  try {
    const head = Buffer.alloc(SUPERBLOCK.bytes);
    await file.read(head, 0, SUPERBLOCK.bytes, SUPERBLOCK.offset);
    const uuid = parseSuperblockUuid(head);
    if (uuid === undefined) throw foreignPool(poolFile);
    return uuid;
  } finally {
    await file.close();
  }
}

async function makePoolFile(
  run: Run,
  poolFile: string,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(dirname(poolFile), { recursive: true, mode: 0o700 });
  const partial = `${poolFile}.new`;
  await rm(partial, { force: true });
  const file = await open(partial, "wx", 0o600);
  try {
    await file.truncate(sizeBytes);
    const argv: [string, ...string[]] = [
      "mkfs.btrfs",
      "--quiet",
      "--label",
      "henge",
      "--uuid",
      randomUUID(),
      partial,
    ];
    await run(argv, { timeoutMs: MAKE_DEADLINE_MS, signal });
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(partial, poolFile);
  await syncDirectory(dirname(poolFile));
}

function lostPool(poolFile: string): HengeError {
  return new HengeError(
    "WRONG_STATE",
    `cannot use the pool ${poolFile}: the file is gone, and its volumes with it`,
    {
      hint: `put the file back, or remove ${recordPath(poolFile)} to begin with an empty pool`,
    },
  );
}

function foreignPool(poolFile: string): HengeError {
  return new HengeError(
    "WRONG_STATE",
    `cannot use the pool ${poolFile}: it is not the pool that was made here`,
    {
      hint: `put the right file back, or remove ${recordPath(poolFile)} to adopt another btrfs pool`,
    },
  );
}
