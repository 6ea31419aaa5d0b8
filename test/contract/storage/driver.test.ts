import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { ImageName, MonolithName, VolumeName } from "../../../src/spec/index.js";

import { isRequired } from "../../fixture/require.js";
import { ZFS_PARENT, makeBtrfsPool, makeFakePool, makeZfsPool } from "./pools.js";
import type { TestPool } from "./pools.js";

const MIB = 1024 * 1024;
const shop = "shop" as MonolithName;
const db = "db" as VolumeName;
const app = "app" as ImageName;
const patience = () => AbortSignal.timeout(30_000);

if (ZFS_PARENT === undefined && isRequired("zfs")) {
  it("has a ZFS pool", () =>
    expect.fail("needs a ZFS pool: HENGE_TEST_ZFS names a dataset for tests"));
}

describe("the fake pool", () => checkContract(makeFakePool));
describe("a btrfs pool", () => checkContract(makeBtrfsPool));
describe.skipIf(ZFS_PARENT === undefined)(
  `a ZFS pool${ZFS_PARENT === undefined ? " (needs a ZFS pool)" : ""}`,
  () => checkContract(makeZfsPool),
);

function checkContract(makePool: () => Promise<TestPool>): void {
  let pool: TestPool;
  beforeEach(async () => {
    pool = await makePool();
    await pool.driver.pool.ensure(patience());
  });
  afterEach(() => pool.dispose());

  it("is ready again, with all it held, after it was away", async () => {
    await pool.driver.volumes.create(shop, { name: db }, patience());
    const before = await pool.driver.volumes.source(shop, db);
    await pool.takeAway();
    await expect(pool.driver.pool.facts()).rejects.toMatchObject({ code: "WRONG_STATE" });
    await expect(pool.driver.volumes.source(shop, db)).rejects.toMatchObject({
      code: "WRONG_STATE",
    });
    await pool.bringBack();
    await pool.driver.pool.ensure(patience());
    await pool.driver.pool.ensure(patience());
    expect(await pool.driver.volumes.source(shop, db)).toEqual(before);
  });

  it("knows its size", async () => {
    const { totalBytes, freeBytes } = await pool.driver.pool.facts();
    expect(freeBytes).toBeGreaterThan(0);
    expect(totalBytes).toBeGreaterThan(freeBytes);
  });

  it("tells how it is", async () => {
    const { driver } = await pool.driver.pool.facts();
    const health = await pool.driver.pool.health();
    expect(health.driver).toBe(driver);
    const isWell = health.driver === "btrfs" ? !health.isReadOnly : health.state === "ONLINE";
    expect(isWell).toBe(true);
  });

  it("lists a monolith's volumes with their quotas, and the monoliths that have any", async () => {
    await pool.driver.volumes.create(shop, { name: db, quotaBytes: 32 * MIB }, patience());
    await pool.driver.volumes.create(shop, { name: "files" as VolumeName }, patience());
    expect(await pool.driver.volumes.list(shop)).toEqual([
      { name: "db", quotaBytes: 32 * MIB },
      { name: "files" },
    ]);
    expect(await pool.driver.volumes.list("other" as MonolithName)).toEqual([]);
    expect(await pool.driver.volumes.listMonoliths()).toEqual(["shop"]);
  });

  it("changes a quota and lifts it", async () => {
    await pool.driver.volumes.create(shop, { name: db, quotaBytes: 32 * MIB }, patience());
    await pool.driver.volumes.set(shop, { name: db, quotaBytes: 64 * MIB }, patience());
    expect(await pool.driver.volumes.list(shop)).toEqual([{ name: "db", quotaBytes: 64 * MIB }]);
    await pool.driver.volumes.set(shop, { name: db }, patience());
    expect(await pool.driver.volumes.list(shop)).toEqual([{ name: "db" }]);
  });

  it("does not create a volume twice", async () => {
    await pool.driver.volumes.create(shop, { name: db }, patience());
    const before = await pool.driver.volumes.source(shop, db);
    const again = pool.driver.volumes.create(shop, { name: db }, patience());
    await expect(again).rejects.toMatchObject({ code: "WRONG_STATE" });
    expect(await pool.driver.volumes.source(shop, db)).toEqual(before);
  });

  it("gives a volume that is made anew another identity", async () => {
    await pool.driver.volumes.create(shop, { name: db }, patience());
    const before = await pool.driver.volumes.source(shop, db);
    await pool.driver.volumes.destroy(shop, db, patience());
    await expect(pool.driver.volumes.source(shop, db)).rejects.toMatchObject({
      code: "WRONG_STATE",
    });
    expect(await pool.driver.volumes.listMonoliths()).toEqual([]);
    await pool.driver.volumes.create(shop, { name: db }, patience());
    const after = await pool.driver.volumes.source(shop, db);
    expect(after.path).toBe(before.path);
    expect(after.identity).not.toBe(before.identity);
    expect(after.guid).not.toBe(before.guid);
  });

  it("does nothing when what is destroyed is gone already", async () => {
    await pool.driver.volumes.destroy(shop, db, patience());
    await pool.driver.images.destroy(app, pool.archive.digest, patience());
  });

  it("imports an image once, and forgets it when it is destroyed", async () => {
    const { path, digest } = pool.archive;
    await pool.driver.images.import(app, path, digest, patience());
    const before = await pool.driver.images.source(app, digest);
    await pool.driver.images.import(app, path, digest, patience());
    expect(await pool.driver.images.source(app, digest)).toEqual(before);
    expect(await pool.driver.images.list()).toEqual([{ name: "app", digest }]);
    await pool.driver.images.destroy(app, digest, patience());
    expect(await pool.driver.images.list()).toEqual([]);
    await expect(pool.driver.images.source(app, digest)).rejects.toMatchObject({
      code: "WRONG_STATE",
    });
  });

  it("shows what an image holds to whoever looks, also to two at once, and nothing of it afterwards", async () => {
    const { path, digest } = pool.archive;
    await pool.driver.images.import(app, path, digest, patience());
    await pool.driver.images.source(app, digest);
    const look = () =>
      pool.driver.images.look(
        app,
        digest,
        async (files) => {
          expect(await files.look("/etc/motd")).toMatchObject({ kind: "file" });
          return (await files.read("/etc/motd", 100)).toString();
        },
        patience(),
      );
    expect(await Promise.all([look(), look()])).toEqual(["hello\n", "hello\n"]);
    await expect(
      pool.driver.images.look(
        app,
        "f".repeat(64),
        () => Promise.reject(new Error("seen")),
        patience(),
      ),
    ).rejects.not.toThrow("seen");
    await pool.driver.images.destroy(app, digest, patience());
  });

  it("imports an image once for all who ask for it, and no clean-up takes it for remains", async () => {
    const { path, digest } = pool.archive;
    const imports = [1, 2].map(() => pool.driver.images.import(app, path, digest, patience()));
    for (let round = 0; round < 5; round++) await pool.driver.pool.ensure(patience());
    await Promise.all(imports);
    expect(await pool.driver.images.list()).toEqual([{ name: "app", digest }]);
  });

  it("refuses what is not an archive, and shows nothing of it", async () => {
    const { path, digest } = pool.badArchive;
    const attempt = pool.driver.images.import(app, path, digest, patience());
    await expect(attempt).rejects.toMatchObject({ code: "MANIFEST_INVALID" });
    expect(await pool.driver.images.list()).toEqual([]);
  });

  it("makes nothing when it was aborted", async () => {
    const aborted = AbortSignal.abort();
    await expect(pool.driver.volumes.create(shop, { name: db }, aborted)).rejects.toThrow();
    await expect(
      pool.driver.images.import(app, pool.archive.path, pool.archive.digest, aborted),
    ).rejects.toThrow();
    expect(await pool.driver.volumes.list(shop)).toEqual([]);
    expect(await pool.driver.images.list()).toEqual([]);
  });

  it("refuses names that no label is", async () => {
    const { driver, archive } = pool;
    const refused = { code: "INVALID_REQUEST" };
    for (const name of ["..", "a/b", "", ".partial", "_partial.db", "a@b", "-r", "A"]) {
      const [monolith, volume] = [name as MonolithName, { name: name as VolumeName }];
      for (const attempt of [
        driver.volumes.create(shop, volume, patience()),
        driver.volumes.create(monolith, { name: db }, patience()),
        driver.volumes.destroy(shop, volume.name, patience()),
        driver.volumes.source(shop, volume.name),
        driver.volumes.list(monolith),
        driver.images.import(name as ImageName, archive.path, archive.digest, patience()),
        driver.images.source(app, name),
      ])
        await expect(attempt, JSON.stringify(name)).rejects.toMatchObject(refused);
    }
  });
}
