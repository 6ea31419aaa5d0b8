import { chmod, chown, mkdir, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { takeLock } from "../../../src/store/lock.js";
import { openMonoliths } from "../../../src/store/monoliths.js";
import { makeOwnDirectory } from "../../../src/store/own-file.js";
import { temporaryDirectory } from "../../fixture/directory.js";
import { cell, monolith } from "../../fixture/index.js";

describe("a directory of the daemon's root", () => {
  it("is made for root alone, with those above it, and taken the next time", async () => {
    const path = join(await temporaryDirectory(), "root", "lib");
    await makeOwnDirectory(path);
    await makeOwnDirectory(path);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
  });

  it("may be read by others", async () => {
    const path = join(await temporaryDirectory(), "root");
    await mkdir(path);
    await chmod(path, 0o755);
    await makeOwnDirectory(path);
  });

  it.each([
    ["a file", (path: string) => writeFile(path, ""), "it is a file"],
    ["a link to a directory", (path: string) => symlink("/var", path), "it is a symbolic link"],
    ["a link to nothing", (path: string) => symlink("/nowhere", path), "it is a symbolic link"],
    [
      "one that everybody can write",
      async (path: string) => {
        await mkdir(path);
        await chmod(path, 0o1777);
      },
      "its mode is 1777, so others than its owner can write it",
    ],
    [
      "one that a group can write",
      async (path: string) => {
        await mkdir(path);
        await chmod(path, 0o770);
      },
      "its mode is 770, so others than its owner can write it",
    ],
    [
      "somebody else's",
      async (path: string) => {
        await mkdir(path);
        await chown(path, 1234, 0);
      },
      "it belongs to uid 1234, not to uid 0",
    ],
  ])("is refused when it is %s", async (_what, put, why) => {
    const path = join(await temporaryDirectory(), "root");
    await put(path);
    await expect(makeOwnDirectory(path)).rejects.toMatchObject({
      code: "WRONG_STATE",
      message: `cannot use ${path}: ${why}`,
    });
  });
});

describe("the lock", () => {
  it.each(["lock", "lock.pid"])("tells of a directory in the place of %s", async (name) => {
    const directory = await temporaryDirectory();
    await mkdir(join(directory, name));
    await expect(takeLock(join(directory, "lock"))).rejects.toMatchObject({
      code: "WRONG_STATE",
      message: `cannot use ${join(directory, name)}: it is a directory`,
    });
  });

  it.each(["lock", "lock.pid"])("does not follow a link in the place of %s", async (name) => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, "elsewhere"), "as it was", { mode: 0o600 });
    await symlink(join(directory, "elsewhere"), join(directory, name));
    await expect(takeLock(join(directory, "lock"))).rejects.toMatchObject({ code: "WRONG_STATE" });
    expect((await stat(join(directory, "elsewhere"))).size).toBe(9);
  });
});

it("quarantines the monolith in the place of whose record is a directory, and no other", async () => {
  const directory = await temporaryDirectory();
  const store = await openMonoliths(directory);
  await store.write({ spec: monolith([cell("blog")]), stopped: [] });
  await mkdir(join(directory, "shop.json"));
  const [blog, shop] = await store.list();
  expect(blog).toHaveProperty("desired");
  expect(shop).toMatchObject({ corrupt: expect.stringContaining("it is a directory") as string });
});
