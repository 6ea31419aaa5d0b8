// The ZFS driver against a `zfs` that only keeps a table of datasets: what is asked of ZFS, in which order.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, it } from "vitest";

import { CommandError } from "../../../src/errors.js";
import type { Run } from "../../../src/command.js";
import { VOLUME_DEFAULTS } from "../../../src/spec/index.js";
import type { ImageName, MonolithName, VolumeName } from "../../../src/spec/index.js";
import type { Driver } from "../../../src/storage/driver.js";
import { DATASET_COLUMNS, OWNER_PROPERTY } from "../../../src/storage/zfs-names.js";
import { createZfsDriver } from "../../../src/storage/zfs.js";

const shop = "shop" as MonolithName;
const db = "db" as VolumeName;
const patience = () => AbortSignal.timeout(5_000);

const OPTIONS = {
  record: "/nowhere/zfs.guid",
  owner: "here",
  workshop: "/nowhere",
  identify: () => Promise.resolve(""),
  run: () => Promise.resolve(""),
};

let directory: string;
let zfs: ReturnType<typeof createFakeZfs>;
let driver: Driver;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "henge-zfs-"));
  zfs = createFakeZfs();
  driver = driverOf("here");
});
afterEach(() => rm(directory, { recursive: true, force: true }));

function driverOf(owner: string, record = "zfs.guid"): Driver {
  return createZfsDriver({
    dataset: "tank/henge",
    record: join(directory, record),
    owner,
    workshop: join(directory, "workshop"),
    identify: (dataset, readOnly) =>
      Promise.resolve(`${readOnly ? "sealed " : ""}fsid of ${dataset}`),
    run: zfs.run,
  });
}

it("makes its datasets once, and mounts none of them", async () => {
  await driver.pool.ensure(patience());
  await driver.volumes.create(shop, { name: db, quotaBytes: 4096 }, patience());
  await driver.pool.ensure(patience());
  expect(await driver.volumes.list(shop)).toEqual([{ name: "db", quotaBytes: 4096 }]);
  expect(await driver.volumes.listMonoliths()).toEqual(["shop"]);
  expect(await driver.volumes.source(shop, db)).toEqual({
    path: "tank/henge/volumes/shop/db",
    fsType: 0x2fc12fc1,
    identity: "fsid of tank/henge/volumes/shop/db",
    guid: "5",
  });
  expect(zfs.asked("mount")).toBe(false);
});

it.each(
  [
    ["-rf/x", "tank", "tank/a@b", "tank/../x", "tank/a#b", "tank/%recv", "tank//x", "tank/a b", ""],
  ].flat(),
)("takes no dataset called %j", (dataset) => {
  expect(() => createZfsDriver({ ...OPTIONS, dataset })).toThrow("expected POOL/NAME");
});

it("uses no dataset of another daemon, and says how to take it over", async () => {
  await driver.pool.ensure(patience());
  await expect(driverOf("there", "other.guid").pool.ensure(patience())).rejects.toMatchObject({
    code: "WRONG_STATE",
    message: "cannot use the dataset tank/henge: it belongs to the daemon here",
    hint: expect.stringContaining("zfs set henge:owner=there tank/henge") as string,
  });
  await driver.pool.ensure(patience());
});

it("says what a dataset that was renamed is called now", async () => {
  await driver.pool.ensure(patience());
  zfs.rename("tank/henge", "tank/away");
  const renamed = {
    code: "WRONG_STATE",
    message: "cannot use the dataset tank/henge: the one that was made here is tank/away now",
  };
  await expect(driver.pool.ensure(patience())).rejects.toMatchObject(renamed);
  await expect(driver.volumes.list(shop)).rejects.toMatchObject(renamed);
  expect(zfs.datasets.has("tank/henge")).toBe(false);
});

it("tells a pool that is not imported from a dataset that is gone", async () => {
  await driver.pool.ensure(patience());
  zfs.exportPool();
  const absent = {
    code: "WRONG_STATE",
    message: "cannot use the ZFS pool tank: it is not imported",
    hint: expect.stringContaining("zpool import tank") as string,
  };
  await expect(driver.pool.ensure(patience())).rejects.toMatchObject(absent);
  await expect(driver.volumes.source(shop, db)).rejects.toMatchObject(absent);
});

it("says where the dataset is when its pool was imported under another name", async () => {
  await driver.pool.ensure(patience());
  zfs.renamePool("bath");
  await expect(driver.pool.ensure(patience())).rejects.toMatchObject({
    code: "WRONG_STATE",
    message: "cannot use the dataset tank/henge: the one that was made here is bath/henge now",
  });
});

it("does not take a dataset of the same name for the one that was made here", async () => {
  await driver.pool.ensure(patience());
  zfs.datasets.clear();
  zfs.add("tank/henge", { "henge:owner": "here" });
  await expect(driver.pool.ensure(patience())).rejects.toMatchObject({ code: "WRONG_STATE" });
});

it("misses a dataset that is lost instead of making an empty one", async () => {
  await driver.pool.ensure(patience());
  zfs.datasets.clear();
  await expect(driver.pool.ensure(patience())).rejects.toMatchObject({ code: "WRONG_STATE" });
  await expect(driver.volumes.list(shop)).rejects.toMatchObject({ code: "WRONG_STATE" });
  expect(zfs.datasets.size).toBe(0);
});

it("asks twice for a pool that is as it should be", async () => {
  await driver.pool.ensure(patience());
  zfs.tools();
  await driver.pool.ensure(patience());
  expect(zfs.tools()).toEqual(["zpool list", "zfs list"]);
});

it("destroys a volume with its snapshots, and the monolith's parent with the last volume", async () => {
  await driver.pool.ensure(patience());
  await driver.volumes.create(shop, { name: db }, patience());
  await driver.volumes.destroy(shop, db, patience());
  expect([...zfs.datasets.keys()]).toEqual([
    "tank/henge",
    "tank/henge/volumes",
    "tank/henge/images",
  ]);
});

it("shows no image whose import failed, and removes one whose import was killed at the next start", async () => {
  await driver.pool.ensure(patience());
  const attempt = driver.images.import("web" as ImageName, "/bad.tar", "a".repeat(64), patience());
  await expect(attempt).rejects.toMatchObject({ code: "MANIFEST_INVALID" });
  zfs.add(`tank/henge/images/_partial.web.${"a".repeat(64)}`);
  expect(await driver.images.list()).toEqual([]);
  await driver.pool.ensure(patience());
  expect([...zfs.datasets.keys()]).toEqual([
    "tank/henge",
    "tank/henge/volumes",
    "tank/henge/images",
  ]);
});

it("identifies an image as read-only as it is: in use, it can be mounted in no other way", async () => {
  await driver.pool.ensure(patience());
  const digest = "a".repeat(64);
  zfs.add(`tank/henge/images/web.${digest}`, { readonly: "on" });
  const { identity } = await driver.images.source("web" as ImageName, digest);
  expect(identity).toBe(`sealed fsid of tank/henge/images/web.${digest}`);
});

interface FakeDataset {
  readonly guid: number;
  readonly properties: Readonly<Record<string, string>>;
}

const DEFAULTS: Readonly<Record<string, string>> = {
  readonly: "off",
  used: "1",
  available: "1",
  [OWNER_PROPERTY]: "-",
  encryptionroot: "-",
  keystatus: "-",
  keyformat: "none",
  keylocation: "none",
  refquota: "0",
  ...VOLUME_DEFAULTS,
};

function createFakeZfs() {
  const datasets = new Map<string, FakeDataset>();
  const asked: string[] = [];
  let guid = 0;
  let pool: string | undefined = "tank";
  const add = (name: string, properties = {}) => datasets.set(name, { guid: ++guid, properties });
  const run: Run = async (argv) => {
    const name = argv.at(-1) ?? "";
    asked.push(argv.join(" "));
    const fail = (words: string) => new CommandError(argv, argv[0] === "zfs" ? 1 : 2, words);
    if (argv[0] === "zpool") return pool === undefined ? "" : `${pool}\tONLINE\n`;
    if (argv[0] === "mount" || argv[0] === "umount") return "";
    if (argv[0] !== "zfs") throw fail("This does not look like a tar archive");
    if (argv.at(-1) === "name,guid")
      return (pool === undefined ? [] : [...datasets])
        .map(([of, { guid: its }]) => `${of}\t${String(its)}\n`)
        .join("");
    const found = pool === undefined ? undefined : datasets.get(name);
    if (argv[1] === "create") {
      const properties = argv.filter((word) => word.includes("="));
      if (properties.some((word) => word.endsWith("quota=0"))) throw fail("use 'none'");
      add(
        name,
        Object.fromEntries(
          properties.map((word) => word.replace(/=none$/, "=0").split("=") as [string, string]),
        ),
      );
      return "";
    }
    if (found === undefined) throw fail(`cannot open '${name}': dataset does not exist`);
    if (argv[1] === "list") return list(name, Number(argv[argv.indexOf("-d") + 1]));
    if (argv[1] === "destroy") datasets.delete(name);
    return "";
  };
  function list(name: string, depth: number): string {
    const below = (other: string) => other.slice(name.length).split("/").length - 1;
    const isShown = (other: string) =>
      other === name || (other.startsWith(`${name}/`) && below(other) <= depth);
    const shown = [...datasets].filter(([other]) => isShown(other));
    return shown
      .map(([other, { guid: its, properties }]) => [
        other,
        its,
        ...DATASET_COLUMNS.slice(2).map((name) => properties[name] ?? DEFAULTS[name]),
      ])
      .map((columns) => `${columns.join("\t")}\n`)
      .join("");
  }
  function rename(from: string, to: string): void {
    for (const [name, of] of [...datasets].filter(([it]) => it.startsWith(from))) {
      datasets.delete(name);
      datasets.set(`${to}${name.slice(from.length)}`, of);
    }
  }
  return {
    run,
    datasets,
    add,
    rename,
    exportPool: () => {
      pool = undefined;
    },
    renamePool: (to: string) => {
      rename("tank", to);
      pool = to;
    },
    asked: (word: string) => asked.some((line) => line.split(" ").includes(word)),
    /** What was asked since the last call. */
    tools: () => asked.splice(0).map((line) => line.split(" ").slice(0, 2).join(" ")),
  };
}
