// One JSON record in one file, replaced whole or not at all, with a version and a checksum inside.

import { createHash } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

import { HengeError, KernelError, errnoOf } from "../errors.js";

const FORMAT = 1;

/** A record that cannot be believed; the file is left as it is. */
export class CorruptRecord extends HengeError {
  override readonly name = "CorruptRecord";
  constructor(path: string, why: string, cause?: unknown) {
    super("WRONG_STATE", `cannot read the record ${path}: ${why}`, {
      cause,
      hint: "restore it from a copy, or apply the manifest again to replace it",
    });
  }
}

/**
 * Replaces the file: write, fsync, rename, fsync of the directory (rename(2), fsync(2)).
 * @throws {KernelError} ENOSPC, EDQUOT: nothing was replaced
 */
export async function writeRecord(path: string, body: unknown): Promise<void> {
  const text = JSON.stringify(body);
  const temporary = `${path}.new`;
  try {
    const file = await open(temporary, "w", 0o600);
    try {
      await file.writeFile(
        `{"format":${String(FORMAT)},"sha256":"${sha256(text)}","body":${text}}\n`,
      );
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    throw new KernelError("write the record", errnoOf(error), { cause: error, path });
  }
}

/**
 * @returns undefined when there is no such file
 * @throws {CorruptRecord} truncated, garbled, or of another format
 */
export async function readRecord(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw new KernelError("read the record", errnoOf(error), { cause: error, path });
  }
  return bodyOf(path, text);
}

export async function removeRecord(path: string): Promise<void> {
  await rm(path, { force: true });
  await syncDirectory(dirname(path));
}

function bodyOf(path: string, text: string): unknown {
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch (error) {
    throw new CorruptRecord(path, "it is not whole", error);
  }
  if (typeof record !== "object" || record === null || !("body" in record)) {
    throw new CorruptRecord(path, "it has no body");
  }
  if (!("format" in record) || record.format !== FORMAT) {
    throw new CorruptRecord(path, `its format is not ${String(FORMAT)}`);
  }
  if (!("sha256" in record) || record.sha256 !== sha256(JSON.stringify(record.body))) {
    throw new CorruptRecord(path, "its checksum does not match");
  }
  return record.body;
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
