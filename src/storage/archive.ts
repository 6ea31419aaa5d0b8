// Identity of an image archive: its SHA-256, read again only when the file has changed.

import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";

import { errnoOf } from "../errors.js";

import { END_BYTES, badArchive, endsFault, openFault, typeFault } from "./bad-archive.js";
import type { ArchiveRef } from "./bad-archive.js";

const digests = new Map<string, string>();

/**
 * @returns 64 hex digits
 * @throws {HengeError} MANIFEST_INVALID: no such file, or not one that could be a tar archive
 */
export async function readArchiveDigest(ref: ArchiveRef, signal: AbortSignal): Promise<string> {
  // A pipe with no writer would let open(2) wait for ever.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK;
  const file = await open(ref.archive, flags).catch((error: unknown) => {
    throw badArchive(ref, openFault(errnoOf(error)), error);
  });
  try {
    const facts = await file.stat({ bigint: true });
    if (!facts.isFile()) throw badArchive(ref, typeFault(facts.isDirectory()));
    const key = [facts.dev, facts.ino, facts.size, facts.mtimeNs].join(":");
    const known = digests.get(key);
    if (known !== undefined) return known;
    const tailAt = Math.max(0, Number(facts.size) - END_BYTES);
    const fault = endsFault(await readEnd(file, 0), await readEnd(file, tailAt));
    if (fault !== undefined) throw badArchive(ref, fault);
    const digest = await hash(file, signal);
    digests.set(key, digest);
    return digest;
  } finally {
    await file.close();
  }
}

async function readEnd(file: FileHandle, position: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(END_BYTES), 0, END_BYTES, position);
  return buffer.subarray(0, bytesRead);
}

async function hash(file: FileHandle, signal: AbortSignal): Promise<string> {
  const sum = createHash("sha256");
  const options = { start: 0, autoClose: false, highWaterMark: 1 << 20, signal };
  for await (const chunk of file.createReadStream(options)) sum.update(chunk as Buffer);
  return sum.digest("hex");
}
