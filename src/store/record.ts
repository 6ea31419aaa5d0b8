// One JSON record in one file, replaced whole or not at all, with a version and a checksum inside.

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";

import { removeFile, replaceFile } from "../atomic-file.js";
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
 * Whole on the disk when it returns.
 * @throws {KernelError} ENOSPC, EDQUOT: nothing was replaced
 */
export async function writeRecord(path: string, body: unknown): Promise<void> {
  const text = JSON.stringify(body);
  try {
    await replaceFile(
      path,
      `{"format":${String(FORMAT)},"sha256":"${sha256(text)}","body":${text}}\n`,
    );
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
    if (errnoOf(error) === "EISDIR") throw new CorruptRecord(path, "it is a directory", error);
    throw new KernelError("read the record", errnoOf(error), { cause: error, path });
  }
  return bodyOf(path, text);
}

export async function removeRecord(path: string): Promise<void> {
  await removeFile(path);
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

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
