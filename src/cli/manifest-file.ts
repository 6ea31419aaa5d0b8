// Reads the manifest a user names, and puts its name to the problems that are found in it.

import { open } from "node:fs/promises";
import { dirname, resolve } from "node:path";

import type { Manifest } from "../api/gen/henge/v1/henge.js";
import { HengeError, ManifestError, describeErrno, errnoOf } from "../errors.js";
import { DaemonError, ManifestFailure } from "./failure.js";

// More than the manifest's own limit, so that its error is the one that is seen; less than a request may have.
const MANIFEST_MAX_BYTES = 128 * 1024;

/** @throws {HengeError} MANIFEST_INVALID: the file cannot be read; also whatever `use` finds wrong in it */
export async function withManifest<Result>(
  file: string,
  cwd: string,
  use: (manifest: Manifest) => Promise<Result> | Result,
): Promise<Result> {
  const path = resolve(cwd, file);
  const text = await readText(file, path);
  try {
    return await use({ file, directory: dirname(path), text });
  } catch (error) {
    if (error instanceof ManifestError) throw new ManifestFailure(file, error);
    if (error instanceof DaemonError && error.code === "MANIFEST_INVALID")
      throw new ManifestFailure(file, error);
    throw error;
  }
}

async function readText(file: string, path: string): Promise<string> {
  const bytes = await readHead(path).catch((error: unknown) => {
    throw new HengeError(
      "MANIFEST_INVALID",
      `cannot read ${file}: ${describeErrno(errnoOf(error))}`,
      {
        cause: error,
      },
    );
  });
  if (bytes.length > MANIFEST_MAX_BYTES) {
    throw new HengeError(
      "MANIFEST_INVALID",
      `cannot use ${file}: it is larger than any manifest may be`,
    );
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new HengeError("MANIFEST_INVALID", `cannot use ${file}: it is not UTF-8 text`, {
      cause: error,
      hint: "save it as UTF-8 in your editor",
    });
  }
}

/** Never more than one byte beyond the limit: the name may be a disk's. */
async function readHead(path: string): Promise<Buffer> {
  const handle = await open(path);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(MANIFEST_MAX_BYTES + 1));
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
