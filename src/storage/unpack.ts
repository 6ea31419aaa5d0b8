// Unpacks an image archive into an empty directory, and tells a bad archive from a full pool.

import { readdir } from "node:fs/promises";

import { CommandError, HengeError, errnoOf } from "../errors.js";
import type { Run } from "../command.js";
import type { ImageName } from "../spec/index.js";

import { readArchiveDigest } from "./archive.js";

const UNPACK_DEADLINE_MS = 15 * 60_000;

export interface Unpacking {
  readonly image: ImageName;
  readonly archive: string;
  /** SHA-256 the archive must still have when it has been read. */
  readonly digest: string;
  readonly directory: string;
}

/**
 * @throws {HengeError} INVALID_REQUEST: not a tar archive of a root filesystem · OVER_CAPACITY: no room for it ·
 *   WRONG_STATE: the archive changed meanwhile
 */
export async function unpackImage(run: Run, job: Unpacking, signal: AbortSignal): Promise<void> {
  try {
    await run(unpackArgv(job), { timeoutMs: UNPACK_DEADLINE_MS, signal });
  } catch (error) {
    throw unpackError(job, error);
  }
  if ((await readdir(job.directory)).length === 0) throw badArchive(job, "it is empty");
  if ((await readArchiveDigest(job.archive, signal)) !== job.digest) {
    throw new HengeError(
      "WRONG_STATE",
      `cannot import image ${job.image}: ${job.archive} changed while it was read`,
    );
  }
}

function unpackArgv({ archive, directory }: Unpacking): [string, ...string[]] {
  const attributes = [
    "--xattrs",
    "--xattrs-include=user.*",
    "--xattrs-include=security.capability",
  ];
  return [
    "/usr/bin/tar",
    "--extract",
    "--numeric-owner",
    "--same-owner",
    "--same-permissions",
    ...attributes,
    `--file=${archive}`,
    "--force-local", // else a colon in the name means a host to log in to
    `--directory=${directory}`,
  ];
}

function unpackError(job: Unpacking, error: unknown): unknown {
  if (!(error instanceof CommandError) || error.exit !== 2) return error;
  const typed = capacityError(`import image ${job.image}`, error);
  return typed === error ? badArchive(job, "tar cannot read it", error) : typed;
}

function badArchive(job: Unpacking, why: string, cause?: unknown): HengeError {
  return new HengeError(
    "INVALID_REQUEST",
    `cannot import image ${job.image}: ${job.archive} is not a root filesystem: ${why}`,
    {
      cause,
      hint: "`archive` names a tar file of a root filesystem, plain or compressed",
    },
  );
}

// Node has no name for EDQUOT (122); tar says of a write that was cut short only that it was.
const FULL =
  /No space left on device|out of space|Disk quota exceeded|Wrote only \d+ of|ENOSPC|EDQUOT|system error -122/;

/** What an act failed with, as OVER_CAPACITY when the pool is full; the tools tell that in words only (LC_ALL=C). */
export function capacityError(act: string, error: unknown): unknown {
  const words = error instanceof CommandError ? error.stderr : errnoOf(error);
  if (!FULL.test(words)) return error;
  return new HengeError("OVER_CAPACITY", `cannot ${act}: the pool is full`, { cause: error });
}
