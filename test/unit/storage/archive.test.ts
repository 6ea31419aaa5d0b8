import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, it } from "vitest";

import type { ImageName } from "../../../src/spec/index.js";
import { readArchiveDigest } from "../../../src/storage/archive.js";

const patience = () => AbortSignal.timeout(5_000);

let directory: string;
let path: string;
const digest = (archive: string) =>
  readArchiveDigest({ name: "app" as ImageName, archive }, patience());
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "henge-archive-"));
  path = join(directory, "root.tar");
});
afterEach(() => rm(directory, { recursive: true, force: true }));

it("is the SHA-256 of the file, and another one when the file has changed", async () => {
  await writeFile(path, "abc");
  const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  expect(await digest(path)).toBe(abc);
  expect(await digest(path)).toBe(abc);
  await writeFile(path, "abcd");
  expect(await digest(path)).not.toBe(abc);
});

it("says what is wrong with what is no archive: the image, the field, the file, and why", async () => {
  const beginning = "cannot use image app: images.app.archive names";
  const header = Buffer.alloc(512);
  header.write("ustar", 257);
  const cut = join(directory, "cut.tar");
  await writeFile(cut, Buffer.concat([header, Buffer.alloc(512)])); // one of the two blocks that end it
  const whole = join(directory, "whole.tar");
  await writeFile(whole, Buffer.concat([header, Buffer.alloc(1024)]));
  await digest(whole);
  await writeFile(path, "PK\x03\x04 and so on");
  const bad: readonly (readonly [string, string])[] = [
    [path, "it is a zip file, not a tar archive"],
    [cut, "it is cut short"],
    [directory, "it is a directory, not an archive"],
    ["/dev/null", "it is no regular file"],
    [join(directory, "none.tar"), "there is no such file"],
    [join(path, "below"), "a part of that path is a file, not a directory"],
  ];
  for (const [archive, why] of bad)
    await expect(digest(archive)).rejects.toMatchObject({
      code: "MANIFEST_INVALID",
      message: `${beginning} ${archive}: ${why}`,
    });
});
