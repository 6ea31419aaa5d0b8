// What only the embedded pool promises of images.

import { execFileSync } from "node:child_process";
import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { runCommand } from "../../../src/command.js";
import type { Run } from "../../../src/command.js";
import type { ImageName } from "../../../src/spec/index.js";

import { makeBadArchives } from "./bad-archives.js";
import { archiveAt, dieAt, makeBtrfsPool } from "./pools.js";
import type { TestBtrfs } from "./pools.js";

const MIB = 1024 * 1024;
const app = "app" as ImageName;
const patience = () => AbortSignal.timeout(30_000);
const wrongState = { code: "WRONG_STATE" };

let pool: TestBtrfs;
beforeEach(async () => {
  pool = await makeBtrfsPool();
  await pool.driver.pool.ensure(patience());
});
afterEach(() => pool.dispose());

describe("images", () => {
  it("unpacks owners and modes as they are in the archive, and can then not be written to", async () => {
    const root = join(pool.directory, "tree");
    await mkdir(root);
    await writeFile(join(root, "tool"), "x");
    execFileSync("tar", [
      "-cf",
      join(pool.directory, "tree.tar"),
      "-C",
      root,
      "--owner=:1234",
      "--group=:1235",
      "--mode=4751",
      ".",
    ]);
    const { path, digest } = await archiveAt(join(pool.directory, "tree.tar"));
    await pool.driver.images.import(app, path, digest, patience());
    const source = await pool.driver.images.source(app, digest);
    const { uid, gid, mode } = await stat(join(source.path, "tool"));
    expect([uid, gid, mode & 0o7777]).toEqual([1234, 1235, 0o4751]);
    await expect(writeFile(join(source.path, "new"), "x")).rejects.toMatchObject({ code: "EROFS" });
    execFileSync("btrfs", ["property", "set", "-ts", source.path, "ro", "false"]);
    await expect(pool.driver.images.source(app, digest)).rejects.toMatchObject(wrongState);
  });

  it("refuses an archive that changed after it was named by its digest", async () => {
    await expect(
      pool.driver.images.import(app, pool.archive.path, "c".repeat(64), patience()),
    ).rejects.toMatchObject(wrongState);
    expect(await pool.driver.images.list()).toEqual([]);
  });

  it("says of each bad archive what is wrong with it, and leaves nothing behind", async () => {
    const bad = await makeBadArchives(pool.directory);
    for (const [file, why] of bad) {
      const { path, digest } = await archiveAt(file);
      const refused = pool.driver.images.import(app, path, digest, patience());
      await expect(refused, file).rejects.toMatchObject({
        code: "MANIFEST_INVALID",
        message: `cannot use image app: images.app.archive names ${path}: ${why}`,
      });
    }
    expect(await readdir(join(pool.mountPoint, "images"))).toEqual([]);
  });

  it("has a root that everybody may enter, also of an archive without a member for it", async () => {
    const tree = join(pool.directory, "tree");
    await mkdir(join(tree, "etc"), { recursive: true });
    execFileSync("tar", ["-cf", `${tree}.tar`, "-C", tree, "etc"]);
    const { path, digest } = await archiveAt(`${tree}.tar`);
    const before = process.umask(0o077); // the daemon's
    try {
      await pool.driver.images.import(app, path, digest, patience());
    } finally {
      process.umask(before);
    }
    const source = await pool.driver.images.source(app, digest);
    expect((await stat(source.path)).mode & 0o7777).toBe(0o755);
  });

  it("says that the pool is full, and gives the room back", async () => {
    const small = await makeBtrfsPool(160 * MIB);
    try {
      await small.driver.pool.ensure(patience());
      const big = join(small.directory, "big");
      await mkdir(big);
      await writeFile(join(big, "noise"), Buffer.alloc(200 * MIB, 1));
      execFileSync("tar", ["-cf", `${big}.tar`, "-C", big, "."]);
      const { path, digest } = await archiveAt(`${big}.tar`);
      const tooMuch = small.driver.images.import(app, path, digest, patience());
      await expect(tooMuch).rejects.toMatchObject({ code: "OVER_CAPACITY" });
      expect(await small.driver.images.list()).toEqual([]);
      await small.driver.images.import(app, small.archive.path, small.archive.digest, patience());
    } finally {
      await small.dispose();
    }
  });

  it.each(["tar", "property", "sync"])(
    "shows no image whose import was killed at %s, and removes it at the next start",
    async (word) => {
      const killed = pool.driverWith(dieAt(word));
      const { path, digest } = pool.archive;
      await expect(killed.images.import(app, path, digest, patience())).rejects.toThrow("killed");
      expect(await readdir(join(pool.mountPoint, "images"))).toHaveLength(1);
      expect(await pool.driver.images.list()).toEqual([]);
      await expect(pool.driver.images.source(app, digest)).rejects.toMatchObject(wrongState);
      await pool.driver.pool.ensure(patience());
      expect(await readdir(join(pool.mountPoint, "images"))).toEqual([]);
      await pool.driver.images.import(app, path, digest, patience());
      expect(await pool.driver.images.list()).toHaveLength(1);
    },
  );

  it("ends tar when the import is aborted", async () => {
    const abort = new AbortController();
    const slow: Run = (argv, options) => {
      if (!argv[0].endsWith("tar")) return runCommand(argv, options);
      setImmediate(() => {
        abort.abort();
      });
      return runCommand(["sleep", "60"], options);
    };
    const { path, digest } = pool.archive;
    await expect(
      pool.driverWith(slow).images.import(app, path, digest, abort.signal),
    ).rejects.toThrow();
    expect(await readdir(join(pool.mountPoint, "images"))).toEqual([]);
  });
});
