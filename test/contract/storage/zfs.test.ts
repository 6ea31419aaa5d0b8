// What only a ZFS pool can do to a daemon: datasets renamed, received, owned by another, limited from above.

import { chmod, mkdir, rename, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { runCommand } from "../../../src/command.js";
import type { ImageName, MonolithName, VolumeName } from "../../../src/spec/index.js";

import { ZFS_PARENT, makeZfsPool } from "./pools.js";
import type { TestZfs } from "./pools.js";

const MIB = 1024 * 1024;
const shop = "shop" as MonolithName;
const db = "db" as VolumeName;
const patience = () => AbortSignal.timeout(60_000);

let pool: TestZfs;
let volume: string;

/** Runs `act` with the volume mounted somewhere on the host, as an administrator would look into it. */
async function within(
  act: (path: string) => Promise<void>,
  how: "rw" | "ro" = "rw",
): Promise<void> {
  const path = join(pool.directory, "look");
  await mkdir(path);
  await runCommand(["mount", "-t", "zfs", "-o", how, volume, path]);
  try {
    await act(path);
  } finally {
    await runCommand(["umount", path]);
    await rm(path, { recursive: true });
  }
}

describe.skipIf(ZFS_PARENT === undefined)("a ZFS pool in other hands", () => {
  beforeEach(async () => {
    pool = await makeZfsPool();
    volume = `${pool.dataset}/volumes/shop/db`;
    await pool.driver.pool.ensure(patience());
    await pool.driver.volumes.create(shop, { name: db, quotaBytes: 8 * MIB }, patience());
  });
  afterEach(() => pool.dispose());

  it("is used by one daemon alone, until somebody gives it to another", async () => {
    const other = pool.driverOf("others");
    await expect(other.pool.ensure(patience())).rejects.toMatchObject({
      message: `cannot use the dataset ${pool.dataset}: it belongs to the daemon tests`,
    });
    await runCommand(["zfs", "set", "henge:owner=others", pool.dataset]);
    await other.pool.ensure(patience());
    expect(await other.volumes.listMonoliths()).toEqual([shop]);
    await expect(pool.driver.pool.ensure(patience())).rejects.toMatchObject({
      code: "WRONG_STATE",
    });
  });

  it("knows a volume through rename and rollback, and no copy for it", async () => {
    const before = await pool.driver.volumes.source(shop, db);
    await runCommand(["zfs", "snapshot", `${volume}@s`]);
    await within((path) => writeFile(join(path, "row"), "1"));
    await runCommand(["zfs", "rollback", `${volume}@s`]);
    await runCommand(["zfs", "rename", volume, `${volume}-away`]);
    await expect(pool.driver.volumes.source(shop, db)).rejects.toMatchObject({
      code: "WRONG_STATE",
    });
    await runCommand(["zfs", "clone", `${volume}-away@s`, volume]);
    const copy = await pool.driver.volumes.source(shop, db);
    expect([copy.guid === before.guid, copy.identity === before.identity]).toEqual([false, false]);
    await runCommand(["zfs", "destroy", volume]);
    await runCommand(["zfs", "rename", `${volume}-away`, volume]);
    expect(await pool.driver.volumes.source(shop, db)).toEqual(before);
  });

  it("knows an image while a cell has it mounted, read-only as it is", async () => {
    const { path: archive, digest } = pool.archive;
    const image = "app" as ImageName;
    await pool.driver.images.import(image, archive, digest, patience());
    const before = await pool.driver.images.source(image, digest);
    volume = before.path;
    await within(async () => {
      expect(await pool.driver.images.source(image, digest)).toEqual(before);
    }, "ro");
  });

  it("says what the dataset is called now", async () => {
    await runCommand(["zfs", "rename", pool.dataset, `${pool.dataset}-away`]);
    await expect(pool.driver.pool.ensure(patience())).rejects.toMatchObject({
      message: `cannot use the dataset ${pool.dataset}: the one that was made here is ${pool.dataset}-away now`,
    });
    await runCommand(["zfs", "rename", `${pool.dataset}-away`, pool.dataset]);
    await pool.driver.pool.ensure(patience());
  });

  it("stops a volume at its quota", async () => {
    await runCommand(["zfs", "set", "compression=off", volume]);
    await within(async (path) => {
      const tooMuch = writeFile(join(path, "big"), Buffer.alloc(16 * MIB, 1), {
        flush: true,
      });
      await expect(tooMuch).rejects.toMatchObject({ errno: -122 });
    });
  });

  it("says that it is full, and gives the room back", async () => {
    await runCommand(["zfs", "set", "quota=1M", pool.dataset]);
    const noise = join(pool.directory, "noise");
    await mkdir(noise);
    await runCommand(["dd", "if=/dev/urandom", `of=${noise}/file`, "bs=1M", "count=4"]);
    await runCommand(["tar", "-cf", `${noise}.tar`, "-C", noise, "."]);
    const digest = (await runCommand(["sha256sum", `${noise}.tar`])).slice(0, 64);
    const image = "app" as ImageName;
    await expect(
      pool.driver.images.import(image, `${noise}.tar`, digest, patience()),
    ).rejects.toMatchObject({ code: "OVER_CAPACITY" });
    expect(await pool.driver.images.list()).toEqual([]);
    await runCommand(["zfs", "set", "quota=none", pool.dataset]);
    await pool.driver.images.import(image, `${noise}.tar`, digest, patience());
  });

  it("keeps what a volume asks for, and sets it anew", async () => {
    const asked = {
      name: "files" as VolumeName,
      quotaBytes: 32 * MIB,
      properties: {
        recordsize: "1048576",
        compression: "zstd-3",
        logbias: "throughput",
        primarycache: "metadata",
        atime: "on",
        quota: String(64 * MIB),
        reservation: String(16 * MIB),
      },
    };
    await pool.driver.volumes.create(shop, asked, patience());
    expect(await pool.driver.volumes.list(shop)).toContainEqual(asked);
    const less = { name: asked.name, properties: { recordsize: "16384" } };
    await pool.driver.volumes.set(shop, less, patience());
    expect(await pool.driver.volumes.list(shop)).toContainEqual(less);
  });
});

describe.skipIf(ZFS_PARENT === undefined)("an encrypted volume of a ZFS pool", () => {
  const name = "secrets" as VolumeName;
  let keyFile: string;
  beforeEach(async () => {
    pool = await makeZfsPool();
    volume = `${pool.dataset}/volumes/shop/secrets`;
    keyFile = join(pool.directory, "key");
    await writeFile(keyFile, Buffer.alloc(32, 7), { mode: 0o600 });
    await pool.driver.pool.ensure(patience());
  });
  afterEach(() => pool.dispose());

  const asked = () => ({ name, encryption: { keyFile, keyFormat: "raw" as const } });

  it("is used while its key is there, and says that it is locked while it is not", async () => {
    await pool.driver.volumes.create(shop, asked(), patience());
    expect(await pool.driver.volumes.list(shop)).toEqual([asked()]);
    const before = await pool.driver.volumes.source(shop, name);
    await runCommand(["zfs", "unload-key", volume]);
    await rename(keyFile, `${keyFile}-away`);
    await expect(pool.driver.volumes.source(shop, name)).rejects.toMatchObject({
      code: "WRONG_STATE",
      message: expect.stringContaining(
        `cannot use the dataset ${volume}: it is locked, and the key of ${volume} cannot be loaded: `,
      ) as string,
    });
    await rename(`${keyFile}-away`, keyFile);
    expect(await pool.driver.volumes.source(shop, name)).toEqual(before);
    await rename(keyFile, `${keyFile}-moved`);
    keyFile = `${keyFile}-moved`;
    await pool.driver.volumes.set(shop, asked(), patience());
    expect(await pool.driver.volumes.list(shop)).toEqual([asked()]);
  });

  it("is no volume's own affair where the dataset above it is encrypted", async () => {
    const above = `${ZFS_PARENT ?? ""}/above`;
    const create = ["zfs", "create", "-o", "encryption=on", "-o", "keyformat=raw"] as const;
    await runCommand([...create, "-o", `keylocation=file://${keyFile}`, above]);
    const below = await makeZfsPool(above);
    try {
      await below.driver.pool.ensure(patience());
      await below.driver.volumes.create(shop, { name: db }, patience());
      expect(await below.driver.volumes.list(shop)).toEqual([{ name: db }]);
      const before = await below.driver.volumes.source(shop, db);
      await runCommand(["zfs", "unload-key", above]);
      expect(await below.driver.volumes.source(shop, db)).toEqual(before);
    } finally {
      await below.dispose();
      await runCommand(["zfs", "destroy", above]);
    }
  });

  it("is not made with a key that is missing, short, or not root's alone", async () => {
    const make = () => pool.driver.volumes.create(shop, asked(), patience());
    await chmod(keyFile, 0o644);
    await expect(make()).rejects.toMatchObject({
      message: `cannot create volume secrets of shop: its key ${keyFile} is not root's alone`,
    });
    await chmod(keyFile, 0o600);
    await truncate(keyFile, 16);
    await expect(make()).rejects.toMatchObject({
      message: `cannot create volume secrets of shop: its key ${keyFile} is no raw key: it has 16 bytes`,
    });
    await rm(keyFile);
    await expect(make()).rejects.toMatchObject({
      message: `cannot create volume secrets of shop: its key ${keyFile} does not exist`,
    });
    expect(await pool.driver.volumes.list(shop)).toEqual([]);
  });
});
