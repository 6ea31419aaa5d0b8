// Unpacks an image archive into an empty directory, and tells a bad archive from a full pool.

import { chmod, readdir } from "node:fs/promises";
import { join } from "node:path";

import { CommandError, HengeError, errnoOf } from "../errors.js";
import type { Run } from "../command.js";

import { readArchiveDigest } from "./archive.js";
import { badArchive, contentFault, tarFault } from "./bad-archive.js";
import type { ArchiveRef, Unpacked } from "./bad-archive.js";

const UNPACK_DEADLINE_MS = 15 * 60_000;

export interface Unpacking extends ArchiveRef {
  /** SHA-256 the archive must still have when it has been read. */
  readonly digest: string;
  readonly directory: string;
}

/**
 * @throws {HengeError} MANIFEST_INVALID: not a tar archive of a root filesystem · OVER_CAPACITY: no room for it ·
 *   WRONG_STATE: the archive changed meanwhile
 */
export async function unpackImage(run: Run, job: Unpacking, signal: AbortSignal): Promise<void> {
  await requireDigest(job, signal);
  // What tar gives it when the archive has a member `./`. Without one nobody but root could enter the cell's root.
  await chmod(job.directory, 0o755);
  try {
    await run(unpackArgv(job), { timeoutMs: UNPACK_DEADLINE_MS, signal });
  } catch (error) {
    throw unpackError(job, error);
  }
  const fault = contentFault(await look(job.directory));
  if (fault !== undefined) throw badArchive(job, fault);
  await requireDigest(job, signal);
}

async function requireDigest(job: Unpacking, signal: AbortSignal): Promise<void> {
  if ((await readArchiveDigest(job, signal)) === job.digest) return;
  throw new HengeError(
    "WRONG_STATE",
    `cannot import image ${job.name}: ${job.archive} changed while it was read`,
    { hint: "try again when whoever writes it has finished" },
  );
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

async function look(directory: string): Promise<Unpacked> {
  const found = await readdir(directory, { withFileTypes: true });
  const [first] = found;
  const names = found.map(({ name }) => name);
  if (found.length !== 1 || first?.isDirectory() !== true) return { names };
  return { names, only: { name: first.name, names: await readdir(join(directory, first.name)) } };
}

function unpackError(job: Unpacking, error: unknown): unknown {
  if (!(error instanceof CommandError) || error.exit !== 2) return error;
  const typed = capacityError(`import image ${job.name}`, error);
  return typed === error ? badArchive(job, tarFault(error.stderr), error) : typed;
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
