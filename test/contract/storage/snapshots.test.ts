// The snapshots of every driver. What is in the volumes is looked at where they can be mounted.

import { execFileSync } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { MonolithName, SnapshotName, VolumeName } from "../../../src/spec/index.js";

import { ZFS_PARENT, makeBtrfsPool, makeFakePool, makeZfsPool } from "./pools.js";
import type { TestPool } from "./pools.js";

const MIB = 1024 * 1024;
const shop = "shop" as MonolithName;
const copy = "copy" as MonolithName;
const [db, files] = ["db", "files"] as VolumeName[] as [VolumeName, VolumeName];
const [monday, tuesday] = ["monday", "tue.1_b-c"] as SnapshotName[] as [SnapshotName, SnapshotName];
const patience = () => AbortSignal.timeout(60_000);

describe("the fake pool", () => checkContract(makeFakePool));
describe("a btrfs pool", () => {
  checkContract(makeBtrfsPool);
  checkContents(makeBtrfsPool);
});
describe.skipIf(ZFS_PARENT === undefined)(
  `a ZFS pool${ZFS_PARENT === undefined ? " (needs a ZFS pool)" : ""}`,
  () => {
    checkContract(makeZfsPool);
    checkContents(makeZfsPool);
    checkClones();
  },
);

function usePool(makePool: () => Promise<TestPool>): () => TestPool {
  let pool: TestPool;
  beforeEach(async () => {
    pool = await makePool();
    await pool.driver.pool.ensure(patience());
    await pool.driver.volumes.create(shop, { name: db, quotaBytes: 64 * MIB }, patience());
    await pool.driver.volumes.create(shop, { name: files }, patience());
  });
  afterEach(() => pool.dispose());
  return () => pool;
}

function checkContract(makePool: () => Promise<TestPool>): void {
  const pool = usePool(makePool);
  const take = (name: SnapshotName) => pool().driver.snapshots.take(shop, name, patience());
  const names = async () => (await pool().driver.snapshots.list(shop)).map(({ name }) => name);

  it("lists what was taken, oldest first, with every volume", async () => {
    expect(await names()).toEqual([]);
    await take(monday);
    await take(tuesday);
    const [first, second] = await pool().driver.snapshots.list(shop);
    expect([first?.name, second?.name]).toEqual([monday, tuesday]);
    expect(first).toMatchObject({
      volumes: [{ volume: db }, { volume: files }],
      consistent: true,
      clones: [],
    });
    expect(first?.volumes.every(({ usedBytes, guid }) => usedBytes >= 0 && guid !== "")).toBe(true);
    expect(await pool().driver.snapshots.list(copy)).toEqual([]);
  });

  it("refuses a name that is taken, and one that is none", async () => {
    await take(monday);
    await expect(take(monday)).rejects.toMatchObject({ code: "SNAPSHOT_EXISTS" });
    for (const bad of ["", "-r", "a/b", "a@b", "../x", "_partial.x", "A", "a b", "x".repeat(64)])
      await expect(take(bad as SnapshotName)).rejects.toMatchObject({ code: "INVALID_REQUEST" });
    expect(await names()).toEqual([monday]);
  });

  it("takes none of a monolith without volumes", async () => {
    const none = pool().driver.snapshots.take(copy, monday, patience());
    await expect(none).rejects.toMatchObject({ code: "WRONG_STATE" });
  });

  it("destroys one that is there only", async () => {
    await take(monday);
    await pool().driver.snapshots.destroy(shop, monday, patience());
    const again = pool().driver.snapshots.destroy(shop, monday, patience());
    await expect(again).rejects.toMatchObject({ code: "SNAPSHOT_NOT_FOUND" });
    expect(await names()).toEqual([]);
  });

  it("rolls back to one that is there only, keeps quotas, and lets later ones go", async () => {
    await take(monday);
    await take(tuesday);
    const none = pool().driver.snapshots.rollBack(shop, "sunday" as SnapshotName, patience());
    await expect(none).rejects.toMatchObject({ code: "SNAPSHOT_NOT_FOUND" });
    expect(await names()).toEqual([monday, tuesday]);
    await pool().driver.snapshots.rollBack(shop, monday, patience());
    await pool().driver.snapshots.rollBack(shop, monday, patience());
    expect(await names()).toEqual([monday]);
    expect(await pool().driver.volumes.list(shop)).toEqual([
      { name: db, quotaBytes: 64 * MIB },
      { name: files },
    ]);
  });

  it("clones a volume once, with a quota of its own", async () => {
    await take(monday);
    const from = { monolith: shop, snapshot: monday };
    const clone = () =>
      pool().driver.volumes.clone(from, copy, { name: db, quotaBytes: 32 * MIB }, patience());
    await clone();
    await expect(clone()).rejects.toMatchObject({ code: "WRONG_STATE" });
    expect(await pool().driver.volumes.list(copy)).toEqual([{ name: db, quotaBytes: 32 * MIB }]);
    const [mine, theirs] = await Promise.all(
      [shop, copy].map((monolith) => pool().driver.volumes.source(monolith, db)),
    );
    expect(theirs?.guid).not.toBe(mine?.guid);
    const other = pool().driver.volumes.clone(
      from,
      copy,
      { name: "new" as VolumeName },
      patience(),
    );
    await expect(other).rejects.toMatchObject({ code: "SNAPSHOT_NOT_FOUND" });
    await pool().driver.volumes.destroy(copy, db, patience());
    await pool().driver.volumes.clone(from, copy, { name: db }, patience());
    expect(await pool().driver.volumes.list(copy)).toEqual([{ name: db }]);
    await pool().driver.volumes.destroy(copy, db, patience());
  });
}

function checkContents(makePool: () => Promise<TestPool>): void {
  const pool = usePool(makePool);
  const within = async <T>(
    monolith: MonolithName,
    volume: VolumeName,
    look: (path: string) => Promise<T>,
  ): Promise<T> => {
    const source = await pool().driver.volumes.source(monolith, volume);
    if (source.path.startsWith("/")) return look(source.path);
    const at = `/tmp/henge-look-${String(process.pid)}`;
    await mkdir(at);
    execFileSync("mount", ["-t", "zfs", source.path, at]);
    try {
      return await look(at);
    } finally {
      execFileSync("umount", [at]);
      await rm(at, { recursive: true });
    }
  };
  const write = (volume: VolumeName, text: string) =>
    within(shop, volume, (path) => writeFile(join(path, "text"), text));
  const read = (monolith: MonolithName, volume: VolumeName) =>
    within(monolith, volume, (path) => readFile(join(path, "text"), "utf8"));

  it("brings back what every volume held, and a clone has it too", async () => {
    for (const volume of [db, files]) await write(volume, "before");
    await pool().driver.snapshots.take(shop, monday, patience());
    for (const volume of [db, files]) await write(volume, "after");
    const from = { monolith: shop, snapshot: monday };
    await pool().driver.volumes.clone(from, copy, { name: files }, patience());
    expect(await read(copy, files)).toBe("before");
    expect([await read(shop, db), await read(shop, files)]).toEqual(["after", "after"]);
    await pool().driver.snapshots.rollBack(shop, monday, patience());
    expect([await read(shop, db), await read(shop, files)]).toEqual(["before", "before"]);
    await pool().driver.volumes.destroy(copy, files, patience());
  });

  it("tells of room that only a snapshot holds", async () => {
    await within(shop, db, (path) => writeFile(join(path, "big"), Buffer.alloc(8 * MIB, 7)));
    await pool().driver.snapshots.take(shop, monday, patience());
    await within(shop, db, (path) => rm(join(path, "big")));
    await pool().driver.snapshots.take(shop, tuesday, patience());
    const [first] = await pool().driver.snapshots.list(shop);
    const used = first?.volumes.find(({ volume }) => volume === db)?.usedBytes ?? 0;
    expect(used).toBeGreaterThan(0);
  });
}

function checkClones(): void {
  const pool = usePool(makeZfsPool);

  it("keeps a snapshot as long as a clone needs it", async () => {
    const { driver } = pool();
    await driver.snapshots.take(shop, monday, patience());
    await driver.snapshots.take(shop, tuesday, patience());
    await driver.volumes.clone(
      { monolith: shop, snapshot: tuesday },
      copy,
      { name: db },
      patience(),
    );
    const [, second] = await driver.snapshots.list(shop);
    expect(second?.clones).toEqual([copy]);
    const inTheWay = "copy was cloned from snapshot tue.1_b-c and cannot be without it";
    await expect(driver.snapshots.destroy(shop, tuesday, patience())).rejects.toThrow(inTheWay);
    await expect(driver.snapshots.rollBack(shop, monday, patience())).rejects.toThrow(inTheWay);
    expect(await driver.snapshots.list(shop)).toHaveLength(2);
    await driver.volumes.destroy(copy, db, patience());
    await driver.snapshots.rollBack(shop, monday, patience());
  });
}
