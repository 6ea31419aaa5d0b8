// Reads a file of settings as the warden will show it: a regular file, no symbolic link. It holds secrets, so others may
// neither read nor write it, and nothing of it is kept here.

import { constants } from "node:fs";
import { open } from "node:fs/promises";

import { HengeError, describeErrno, errnoOf } from "../errors.js";

/** As much as the warden reads of an environment file. */
const MOST_BYTES = 256 * 1024;
const OTHERS = 0o007;

/** @throws {HengeError} WRONG_STATE: missing, no regular file, too large, or open to everybody */
export async function readSettings(path: string): Promise<string> {
  // O_NONBLOCK: a FIFO must not hold the daemon up.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch((error: unknown) => {
    const errno = errnoOf(error);
    if (errno === "ENOENT") throw unfit(path, "it does not exist", undefined, error);
    throw unfit(
      path,
      errno === "ELOOP" ? "it is a symbolic link" : describeErrno(errno),
      undefined,
      error,
    );
  });
  try {
    const facts = await file.stat();
    if (!facts.isFile())
      throw unfit(path, "it is not a regular file: `files` takes no directory, device or socket");
    if (facts.size > MOST_BYTES) throw unfit(path, "it is larger than 256 KiB");
    if ((facts.mode & OTHERS) !== 0)
      throw unfit(path, "every user of this host can use it", `chmod o= ${path}`);
    return (await file.readFile()).toString("latin1");
  } finally {
    await file.close();
  }
}

function unfit(path: string, why: string, hint?: string, cause?: unknown): HengeError {
  return new HengeError("WRONG_STATE", `cannot use the settings ${path}: ${why}`, {
    ...(hint === undefined ? {} : { hint }),
    ...(cause === undefined ? {} : { cause }),
  });
}
