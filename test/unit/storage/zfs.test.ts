// The ZFS driver against a `zfs` that only keeps a table of datasets: what is asked of ZFS, in which order.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, it } from "vitest";

import { CommandError } from "../../../src/errors.js";
import type { Run } from "../../../src/command.js";
import type { ImageName, MonolithName, VolumeName } from "../../../src/spec/index.js";
import type { VolumeDriver } from "../../../src/storage/driver.js";
import { createZfsDriver } from "../../../src/storage/zfs.js";

const shop = "shop" as MonolithName;
const db = "db" as VolumeName;
const patience = () => AbortSignal.timeout(5_000);

let directory: string;
let zfs: ReturnType<typeof createFakeZfs>;
let driver: VolumeDriver;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "henge-zfs-"));
  zfs = createFakeZfs(join(directory, "pool"));
  driver = createZfsDriver({
    dataset: "tank/henge",
    mountPoint: join(directory, "pool"),
    run: zfs.run,
  });
});
afterEach(() => rm(directory, { recursive: true, force: true }));

it("makes its datasets once, and only mounts them at the next start", async () => {
  await driver.ensurePool(patience());
  await driver.createVolume(shop, { name: db, quotaBytes: 4096 }, patience());
  expect(await driver.listVolumes(shop)).toEqual([{ name: "db", quotaBytes: 4096 }]);
  expect(await driver.listMonoliths()).toEqual(["shop"]);
  await driver.closePool();
  expect(zfs.mounted()).toEqual([]);
  await driver.ensurePool(patience());
  expect(zfs.mounted()).toEqual(["tank/henge/volumes/shop/db"]);
});

it("misses a dataset that is lost instead of making an empty one", async () => {
  await driver.ensurePool(patience());
  zfs.datasets.clear();
  await expect(driver.ensurePool(patience())).rejects.toMatchObject({ code: "WRONG_STATE" });
  await expect(driver.listVolumes(shop)).rejects.toMatchObject({ code: "WRONG_STATE" });
  expect(zfs.datasets.size).toBe(0);
});

it("does not take a dataset for mounted because it exists", async () => {
  await driver.ensurePool(patience());
  await driver.createVolume(shop, { name: db }, patience());
  await expect(driver.volumeSource(shop, db)).rejects.toMatchObject({ code: "WRONG_STATE" });
});

it("destroys a volume with its snapshots, and the monolith's parent with the last volume", async () => {
  await driver.ensurePool(patience());
  await driver.createVolume(shop, { name: db }, patience());
  await driver.destroyVolume(shop, db, patience());
  expect([...zfs.datasets.keys()]).toEqual([
    "tank/henge",
    "tank/henge/volumes",
    "tank/henge/images",
  ]);
});

it("shows no image whose import failed, and removes one whose import was killed at the next start", async () => {
  await driver.ensurePool(patience());
  const attempt = driver.importImage("web" as ImageName, "/bad.tar", "a".repeat(64), patience());
  await expect(attempt).rejects.toMatchObject({ code: "INVALID_REQUEST" });
  zfs.add(`tank/henge/images/_partial.web.${"a".repeat(64)}`);
  expect(await driver.listImages()).toEqual([]);
  await driver.ensurePool(patience());
  expect([...zfs.datasets.keys()]).toEqual([
    "tank/henge",
    "tank/henge/volumes",
    "tank/henge/images",
  ]);
});

interface FakeDataset {
  readonly guid: number;
  mounted: boolean;
  readonly quota: string;
}

function createFakeZfs(mountPoint: string) {
  const datasets = new Map<string, FakeDataset>();
  let guid = 0;
  const add = (name: string, quota = "0") =>
    datasets.set(name, { guid: ++guid, mounted: false, quota });
  const run: Run = async (argv) => {
    const name = argv.at(-1) ?? "";
    const fail = (words: string) => new CommandError(argv, argv[0] === "zfs" ? 1 : 2, words);
    if (argv[0] === "zpool") return "tank\tONLINE\n";
    if (argv[0] !== "zfs") throw fail("This does not look like a tar archive");
    const found = datasets.get(name);
    if (argv[1] === "create") {
      if (found === undefined)
        add(name, argv.find((part) => part.startsWith("refquota="))?.slice("refquota=".length));
      return "";
    }
    if (found === undefined) throw fail(`cannot open '${name}': dataset does not exist`);
    if (argv[1] === "get") return `${mountPoint}\n`;
    if (argv[1] === "list") return list(name, argv[argv.indexOf("-d") + 1] === "1");
    if (argv[1] === "mount" || argv[1] === "unmount") found.mounted = argv[1] === "mount";
    if (argv[1] === "destroy") datasets.delete(name);
    return "";
  };
  function list(name: string, withChildren: boolean): string {
    const isShown = (other: string) =>
      other === name || (withChildren && other.slice(0, other.lastIndexOf("/")) === name);
    const shown = [...datasets].filter(([other]) => isShown(other));
    return shown
      .map(
        ([other, of]) =>
          [other, of.guid, of.mounted ? "yes" : "no", "off", of.quota, 1, 1].join("\t") + "\n",
      )
      .join("");
  }
  return {
    run,
    datasets,
    add,
    mounted: () => [...datasets].filter(([, of]) => of.mounted).map(([name]) => name),
  };
}
