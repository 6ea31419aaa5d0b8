// Looks at a file of the host that a cell is to be shown, as the warden will: a regular file, no symbolic link. One of
// settings holds secrets, so others may neither read nor write it, and nothing of it is kept here.

import { constants } from "node:fs";
import type { Stats } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";

import { HengeError, describeErrno, errnoOf } from "../errors.js";

/** As much as the warden reads of an environment file. */
const MOST_BYTES = 256 * 1024;
const OTHERS = 0o007;

/**
 * @param holds settings: it is read; anything: it is only looked at, and may be large and open to everybody
 * @returns what it says, byte for byte; nothing of what holds anything
 * @throws {HengeError} WRONG_STATE: missing, no regular file; settings: too large, or open to everybody
 */
export async function readSettings(
  path: string,
  holds: "settings" | "anything" = "settings",
): Promise<string> {
  // O_NONBLOCK: a FIFO must not hold the daemon up.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch((error: unknown) => {
    throw unfit(path, whyNotOpen(errnoOf(error)), "correct `source` under `files`", error);
  });
  try {
    const facts = await file.stat();
    if (!facts.isFile())
      throw unfit(
        path,
        `it is ${kindOf(facts)}`,
        "`files` takes regular files; `mounts` takes volumes",
      );
    return holds === "anything" ? "" : await readSecret(file, path, facts);
  } finally {
    await file.close();
  }
}

async function readSecret(file: FileHandle, path: string, facts: Stats): Promise<string> {
  if (facts.size > MOST_BYTES) throw unfit(path, "it is larger than 256 KiB");
  if ((facts.mode & OTHERS) !== 0)
    throw unfit(path, "every user of this host can use it", `chmod o= ${path}`);
  return (await file.readFile()).toString("latin1");
}

function whyNotOpen(errno: string): string {
  if (errno === "ENOENT") return "it does not exist";
  if (errno === "ENXIO") return "it is a socket or a device";
  return errno === "ELOOP" ? "it is a symbolic link" : describeErrno(errno);
}

function kindOf(facts: Stats): string {
  if (facts.isDirectory()) return "a directory";
  return facts.isFIFO() ? "a named pipe" : "a device";
}

function unfit(path: string, why: string, hint?: string, cause?: unknown): HengeError {
  return new HengeError("WRONG_STATE", `cannot use the file ${path}: ${why}`, {
    ...(hint === undefined ? {} : { hint }),
    ...(cause === undefined ? {} : { cause }),
  });
}
