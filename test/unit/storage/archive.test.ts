import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, it } from "vitest";

import { readArchiveDigest } from "../../../src/storage/archive.js";

const patience = () => AbortSignal.timeout(5_000);

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "henge-archive-"));
  path = join(directory, "root.tar");
});
afterEach(() => rm(directory, { recursive: true, force: true }));

it("is the SHA-256 of the file, and another one when the file has changed", async () => {
  await writeFile(path, "abc");
  const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  expect(await readArchiveDigest(path, patience())).toBe(abc);
  expect(await readArchiveDigest(path, patience())).toBe(abc);
  await writeFile(path, "abcd");
  expect(await readArchiveDigest(path, patience())).not.toBe(abc);
});

it("refuses what is not there, and what is not a file", async () => {
  await expect(readArchiveDigest(path, patience())).rejects.toMatchObject({ code: "WRONG_STATE" });
  await expect(readArchiveDigest(directory, patience())).rejects.toMatchObject({
    code: "WRONG_STATE",
  });
});
