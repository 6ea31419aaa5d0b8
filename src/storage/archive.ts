// Identity of an image archive: its SHA-256, read again only when the file has changed.

import { createHash } from "node:crypto";
import { open } from "node:fs/promises";

import { HengeError, errnoOf } from "../errors.js";

const digests = new Map<string, string>();

/**
 * @param path absolute path of a regular file
 * @returns 64 hex digits
 * @throws {HengeError} WRONG_STATE: no such file, or not a regular one
 */
export async function readArchiveDigest(path: string, signal: AbortSignal): Promise<string> {
  const file = await open(path, "r").catch((error: unknown) => {
    throw new HengeError(
      "WRONG_STATE",
      `cannot open the image archive ${path}: ${errnoOf(error)}`,
      {
        cause: error,
        hint: "build it first, or correct `archive` in the manifest",
      },
    );
  });
  try {
    const facts = await file.stat({ bigint: true });
    if (!facts.isFile())
      throw new HengeError(
        "WRONG_STATE",
        `cannot use the image archive ${path}: not a regular file`,
      );
    const key = [facts.dev, facts.ino, facts.size, facts.mtimeNs].join(":");
    const known = digests.get(key);
    if (known !== undefined) return known;
    const hash = createHash("sha256");
    for await (const chunk of file.createReadStream({
      autoClose: false,
      highWaterMark: 1 << 20,
      signal,
    })) {
      hash.update(chunk as Buffer);
    }
    const digest = hash.digest("hex");
    digests.set(key, digest);
    return digest;
  } finally {
    await file.close();
  }
}
