import { mkdir, readFile, readdir, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import { removeFile, replaceFile } from "../../src/atomic-file.js";
import { temporaryDirectory } from "../fixture/directory.js";

it("replaces a file, readable by its owner alone, and leaves none beside it", async () => {
  const directory = await temporaryDirectory();
  const path = join(directory, "file");
  await replaceFile(path, "old");
  await replaceFile(path, "new");
  expect(await readFile(path, "utf8")).toBe("new");
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(directory)).toEqual(["file"]);
});

it("writes through no link that was put where it writes", async () => {
  const directory = await temporaryDirectory();
  const [path, other] = [join(directory, "file"), join(directory, "other")];
  await writeFile(other, "untouched", { mode: 0o666 });
  await symlink(other, `${path}.new`);
  await replaceFile(path, "new");
  expect(await readFile(other, "utf8")).toBe("untouched");
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

it("leaves the old text, and nothing beside it, when it cannot replace", async () => {
  const directory = await temporaryDirectory();
  const path = join(directory, "file");
  await mkdir(join(path, "in the way"), { recursive: true });
  await expect(replaceFile(path, "new")).rejects.toMatchObject({ code: "EISDIR" });
  expect(await readdir(directory)).toEqual(["file"]);
});

it("removes what is there, and does nothing where there is none", async () => {
  const directory = await temporaryDirectory();
  const path = join(directory, "file");
  await replaceFile(path, "text");
  await removeFile(path);
  await removeFile(path);
  expect(await readdir(directory)).toEqual([]);
});
