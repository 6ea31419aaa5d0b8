// The ports over a pool in memory: what is on record when the daemon is killed, or the pool says no, between two acts.

import { join } from "node:path";

import { expect, it } from "vitest";

import type { MonolithName, SnapshotName, VolumeName } from "../../../src/spec/index.js";
import type { Driver } from "../../../src/storage/driver.js";
import { openStorage } from "../../../src/storage/storage.js";
import { createFakeDriver } from "../../fake/storage.js";
import { temporaryDirectory } from "../../fixture/directory.js";

const [shop, copy] = ["shop", "copy"] as [MonolithName, MonolithName];
const [db, files] = ["db", "files"] as [VolumeName, VolumeName];
const monday = "monday" as SnapshotName;
const killed = () => Promise.reject(new Error("killed"));
const patience = () => AbortSignal.timeout(5_000);

async function build() {
  const driver = createFakeDriver();
  const record = join(await temporaryDirectory(), "volumes.json");
  /** A daemon that is started again. */
  const open = (over: Partial<Driver> = {}) => openStorage({ ...driver, ...over }, record);
  const storage = await open();
  await storage.pool.ensure(patience());
  for (const name of [db, files]) await storage.volumes.create(shop, { name }, patience());
  await storage.snapshots.take(shop, monday, patience());
  return { driver, open, storage };
}

it("makes a volume once, and knows it from another of its name", async () => {
  const { driver, open, storage } = await build();
  await storage.volumes.source(shop, db);
  await driver.volumes.destroy(shop, db, patience()); // by somebody else
  const again = storage.volumes.create(shop, { name: db }, patience());
  await expect(again).rejects.toThrow("it was made before");
  await driver.volumes.create(shop, { name: db }, patience());
  await expect((await open()).volumes.source(shop, db)).rejects.toThrow("on record is");
});

it("takes up a volume whose making was killed before it was whole", async () => {
  const { driver, open } = await build();
  const dying = await open({ volumes: { ...driver.volumes, source: killed } });
  const name = "new" as VolumeName;
  await expect(dying.volumes.create(shop, { name }, patience())).rejects.toThrow("killed");
  const { guid } = await (await open()).volumes.source(shop, name);
  expect((await (await open()).volumes.source(shop, name)).guid).toBe(guid);
});

it("forgets the volumes a pool has lost", async () => {
  const { driver, storage } = await build();
  await driver.volumes.destroy(shop, db, patience());
  await storage.volumes.forget(shop);
  await storage.volumes.create(shop, { name: db }, patience());
});

it("has a rollback on record before its first act, and ends it by itself", async () => {
  const { driver, open } = await build();
  const dying = await open({ snapshots: { ...driver.snapshots, rollBack: killed } });
  await expect(dying.snapshots.rollBack(shop, monday, patience())).rejects.toThrow("killed");
  const next = await open();
  await expect(next.volumes.source(shop, db)).rejects.toThrow("a rollback to monday has not ended");
  expect(next.snapshots.unfinishedRollback(shop)).toBe(monday);
  expect(await next.snapshots.finishRollback(shop, patience())).toBe(monday);
  expect(await next.snapshots.finishRollback(shop, patience())).toBeUndefined();
  await next.volumes.source(shop, db);
});

it("begins no rollback to a snapshot that is not there", async () => {
  const { storage } = await build();
  const none = storage.snapshots.rollBack(shop, "tuesday" as SnapshotName, patience());
  await expect(none).rejects.toMatchObject({ code: "SNAPSHOT_NOT_FOUND" });
  expect(storage.snapshots.unfinishedRollback(shop)).toBeUndefined();
});

it("clones all volumes or none", async () => {
  const { driver, open, storage } = await build();
  const from = { monolith: shop, snapshot: monday };
  const full: Driver["volumes"] = {
    ...driver.volumes,
    clone: (source, to, volume, signal) =>
      volume.name === files ? killed() : driver.volumes.clone(source, to, volume, signal),
  };
  const specs = [{ name: db }, { name: files }];
  const failing = (await open({ volumes: full })).volumes.clone(from, copy, specs, patience());
  await expect(failing).rejects.toThrow("killed");
  expect(await storage.volumes.listMonoliths()).toEqual([shop]);
  await storage.volumes.clone(from, copy, specs, patience());
  await (await open()).volumes.source(copy, files);
});

it("does not clean away volumes that were there before a clone", async () => {
  const { storage } = await build();
  const from = { monolith: shop, snapshot: monday };
  const onto = storage.volumes.clone(from, shop, [{ name: db }], patience());
  await expect(onto).rejects.toThrow("it has volume db already");
  expect((await storage.volumes.list(shop)).map(({ name }) => name)).toEqual([db, files]);
});
