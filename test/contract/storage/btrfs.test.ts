// What only the embedded pool promises: its file, its mount, its subvolumes.

import { execFileSync, spawn } from "node:child_process";
import { mkdir, readFile, readdir, rename, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { runCommand } from "../../../src/command.js";
import type { Driver } from "../../../src/storage/driver.js";
import type { MonolithName, VolumeName } from "../../../src/spec/index.js";

import { dieAt, makeBtrfsPool } from "./pools.js";
import type { TestBtrfs } from "./pools.js";

const MIB = 1024 * 1024;
const shop = "shop" as MonolithName;
const db = "db" as VolumeName;
const patience = () => AbortSignal.timeout(30_000);
const wrongState = { code: "WRONG_STATE" };

let pool: TestBtrfs;
beforeEach(async () => {
  pool = await makeBtrfsPool();
  await pool.driver.pool.ensure(patience());
});
afterEach(() => pool.dispose());

describe("the pool's file and mount", () => {
  it("is sparse and root's alone, and a device or setuid file in it is worth nothing", async () => {
    const file = await stat(pool.poolFile);
    expect(file.size).toBe(512 * MIB);
    expect(file.blocks * 512).toBeLessThan(64 * MIB);
    expect([file.mode & 0o777, (await stat(pool.mountPoint)).mode & 0o777]).toEqual([0o600, 0o700]);
    const line = (await readFile("/proc/self/mountinfo", "utf8"))
      .split("\n")
      .find((text) => text.includes(pool.mountPoint));
    expect(line).toMatch(/ rw,nosuid,nodev,noatime /);
  });

  it("detaches its loop device when it is closed", async () => {
    await pool.driver.closePool();
    await pool.driver.closePool();
    expect(execFileSync("losetup", ["--associated", pool.poolFile], { encoding: "utf8" })).toBe("");
  });

  it("says so when it is in use, and stays", async () => {
    const child = spawn("sleep", ["60"], { cwd: pool.mountPoint });
    try {
      await expect(pool.driver.closePool()).rejects.toMatchObject({ code: "BUSY" });
      await pool.driver.pool.facts();
    } finally {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await ended;
    }
  });

  it("asks no tool of a pool that is mounted, and one or two for a volume", async () => {
    const asked: string[] = [];
    const {
      pool: again,
      volumes,
      images,
    } = pool.driverWith((argv, options) => {
      asked.push(
        argv
          .filter((word) => /^[a-z./]*$/.test(word))
          .slice(0, 3)
          .join(" "),
      );
      return runCommand(argv, options);
    });
    const askedFor = async (act: Promise<unknown>): Promise<readonly string[]> => {
      await act;
      return asked.splice(0);
    };
    expect(await askedFor(again.ensure(patience()))).toEqual([]);
    expect(await askedFor(again.facts())).toEqual([]);
    expect(await askedFor(volumes.list(shop))).toEqual([]);
    expect(await askedFor(volumes.listMonoliths())).toEqual([]);
    expect(await askedFor(images.list())).toEqual([]);
    expect(await askedFor(volumes.create(shop, { name: db }, patience()))).toHaveLength(2);
    expect(await askedFor(volumes.source(shop, db))).toHaveLength(1);
    expect(await askedFor(volumes.list(shop))).toHaveLength(1);
    expect(await askedFor(volumes.listMonoliths())).toEqual([]);
    expect(await askedFor(volumes.destroy(shop, db, patience()))).toHaveLength(1);
  });

  it("adopts the mount of a daemon that was killed", async () => {
    await pool.driver.volumes.create(shop, { name: db }, patience());
    const again = pool.driverWith(runCommand);
    await again.pool.ensure(patience());
    expect(await again.volumes.source(shop, db)).toEqual(
      await pool.driver.volumes.source(shop, db),
    );
  });

  it("does not use another file system that is mounted in its place", async () => {
    await pool.driver.closePool();
    execFileSync("mount", ["-t", "tmpfs", "tmpfs", pool.mountPoint]);
    try {
      await expect(pool.driver.pool.ensure(patience())).rejects.toMatchObject(wrongState);
      await expect(
        pool.driver.volumes.create(shop, { name: db }, patience()),
      ).rejects.toMatchObject(wrongState);
      await expect(pool.driver.closePool()).rejects.toMatchObject(wrongState);
      expect(await readdir(pool.mountPoint)).toEqual([]);
    } finally {
      execFileSync("umount", [pool.mountPoint]);
    }
  });

  it("does not use another btrfs pool that is mounted in its place", async () => {
    const other = await makeBtrfsPool();
    try {
      await other.driver.pool.ensure(patience());
      await other.driver.closePool();
      await pool.driver.closePool();
      execFileSync("mount", ["-o", "loop", other.poolFile, pool.mountPoint]);
      await expect(pool.driver.pool.ensure(patience())).rejects.toMatchObject(wrongState);
      await expect(pool.driver.volumes.list(shop)).rejects.toMatchObject(wrongState);
    } finally {
      execFileSync("umount", [pool.mountPoint]);
      await other.dispose();
    }
  });

  it("does not use an unmounted pool's directory", async () => {
    await pool.driver.volumes.create(shop, { name: db }, patience());
    await pool.driver.closePool();
    await mkdir(join(pool.mountPoint, "volumes/shop/db"), { recursive: true });
    await expect(pool.driver.volumes.source(shop, db)).rejects.toMatchObject(wrongState);
    await expect(
      pool.driver.volumes.create(shop, { name: "new" as VolumeName }, patience()),
    ).rejects.toMatchObject(wrongState);
    await rm(join(pool.mountPoint, "volumes"), { recursive: true });
  });

  it("misses a pool that is lost instead of making an empty one", async () => {
    await pool.driver.closePool();
    await rename(pool.poolFile, `${pool.poolFile}.away`);
    await expect(pool.driver.pool.ensure(patience())).rejects.toMatchObject(wrongState);
    expect(await readdir(pool.directory)).not.toContain("pool.btrfs");
    await rename(`${pool.poolFile}.away`, pool.poolFile);
    await pool.driver.pool.ensure(patience());
  });

  it("does not use another pool's file in the place of its own", async () => {
    await pool.driver.closePool();
    await rename(pool.poolFile, `${pool.poolFile}.away`);
    await truncate(pool.poolFile, 0).catch(() => writeFile(pool.poolFile, ""));
    await truncate(pool.poolFile, 256 * MIB);
    await expect(pool.driver.pool.ensure(patience())).rejects.toMatchObject(wrongState);
    execFileSync("mkfs.btrfs", ["-q", pool.poolFile]);
    await expect(pool.driver.pool.ensure(patience())).rejects.toMatchObject(wrongState);
    await rename(`${pool.poolFile}.away`, pool.poolFile);
  });

  it("finishes a pool whose making was killed before it was recorded", async () => {
    await pool.driver.volumes.create(shop, { name: db }, patience());
    await pool.driver.closePool();
    await rm(`${pool.poolFile}.uuid`);
    await writeFile(`${pool.poolFile}.new`, "half a pool");
    await pool.driver.pool.ensure(patience());
    expect(await pool.driver.volumes.list(shop)).toEqual([{ name: "db" }]);
  });
});

describe("volumes", () => {
  it("does not take a plain directory for a volume", async () => {
    await pool.driver.volumes.create(shop, { name: db }, patience());
    const { path } = await pool.driver.volumes.source(shop, db);
    await rename(path, `${path}-away`);
    await mkdir(path);
    await expect(pool.driver.volumes.source(shop, db)).rejects.toMatchObject(wrongState);
    await expect(pool.driver.volumes.list(shop)).rejects.toMatchObject(wrongState);
  });

  it("gives a volume the identity the kernel knows it by", async () => {
    await pool.driver.volumes.create(shop, { name: db }, patience());
    const { path, fsType, identity } = await pool.driver.volumes.source(shop, db);
    expect(fsType).toBe(0x9123683e);
    const list = execFileSync("btrfs", ["subvolume", "list", "-u", pool.mountPoint], {
      encoding: "utf8",
    });
    expect(list.replaceAll("-", "")).toContain(`uuid ${identity} path volumes/shop/db`);
    expect(path).toBe(join(pool.mountPoint, "volumes/shop/db"));
  });

  it("stops a volume at its quota and leaves its neighbour alone", async () => {
    await pool.driver.volumes.create(shop, { name: db, quotaBytes: 16 * MIB }, patience());
    await pool.driver.volumes.create(shop, { name: "files" as VolumeName }, patience());
    const full = await pool.driver.volumes.source(shop, db);
    const tooMuch = writeFile(join(full.path, "big"), Buffer.alloc(32 * MIB, 1), { flush: true });
    await expect(tooMuch).rejects.toMatchObject({ errno: -122 });
    const free = await pool.driver.volumes.source(shop, "files" as VolumeName);
    await writeFile(join(free.path, "big"), Buffer.alloc(32 * MIB, 1), { flush: true });
  });

  it("destroys a volume in which a cell made subvolumes of its own", async () => {
    await pool.driver.volumes.create(shop, { name: db }, patience());
    const { path } = await pool.driver.volumes.source(shop, db);
    execFileSync("btrfs", ["subvolume", "create", join(path, "own")], { stdio: "ignore" });
    await writeFile(join(path, "own/row"), "1");
    await pool.driver.volumes.destroy(shop, db, patience());
    expect(await readdir(join(pool.mountPoint, "volumes"))).toEqual([]);
  });

  it("shows no volume whose making was killed, and removes it at the next start", async () => {
    const killed = pool.driverWith(dieAt("limit"));
    const limited = { name: db, quotaBytes: MIB };
    await expect(killed.volumes.create(shop, limited, patience())).rejects.toThrow("killed");
    expect(await readdir(join(pool.mountPoint, "volumes/shop"))).toHaveLength(1);
    expect(await pool.driver.volumes.list(shop)).toEqual([]);
    expect(await pool.driver.volumes.listMonoliths()).toEqual([]);
    await pool.driver.pool.ensure(patience());
    expect(await readdir(join(pool.mountPoint, "volumes/shop"))).toEqual([]);
  });

  it("leaves alone what is being destroyed when somebody cleans up beside it", async () => {
    await pool.driver.volumes.create(shop, { name: db }, patience());
    const both: { driver?: Driver } = {};
    both.driver = pool.driverWith(async (argv, options) => {
      if (argv.includes("delete")) await both.driver?.pool.ensure(patience());
      return runCommand(argv, options);
    });
    await both.driver.volumes.destroy(shop, db, patience());
    expect(await readdir(join(pool.mountPoint, "volumes"))).toEqual([]);
  });
});
