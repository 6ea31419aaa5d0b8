import { expect, it } from "vitest";

import type { HouseDaemon } from "../../fixture/house-daemon.js";
import type { MonolithName, SnapshotName, SnapshotStatus } from "../../../src/spec/index.js";
import { House } from "../../fixture/house.js";
import { SHOP, cell, forever, settle, silent, states } from "../../fixture/shop.js";

const shop = cell("shop");
const copy = "copy" as MonolithName;
const [monday, tuesday] = ["monday", "tuesday"] as SnapshotName[] as [SnapshotName, SnapshotName];
const PUBLISHING = SHOP.replace("network: own", 'network: own\npublish: ["8080:80"]');
const CAREFUL = `${SHOP}snapshots: { before-changes: true, keep: 2 }\n`;

class Shop {
  readonly house: House;
  readonly daemon: HouseDaemon;
  private constructor(house: House, daemon: HouseDaemon) {
    this.house = house;
    this.daemon = daemon;
  }

  static async open(text = SHOP): Promise<Shop> {
    const house = await House.build();
    const daemon = await house.daemon();
    await house.up(daemon, text);
    house.journal();
    return new Shop(house, daemon);
  }

  take(name: SnapshotName, id = this.house.request()): Promise<SnapshotStatus | undefined> {
    return this.daemon.snapshot(shop, name, id, forever());
  }

  async stop(): Promise<void> {
    await this.daemon.stop({ cell: shop }, this.house.request(), silent, forever());
  }

  rollBack(name: SnapshotName, daemon = this.daemon): Promise<void> {
    return daemon.rollBack(shop, name, this.house.request(), silent, forever());
  }

  clone(over: Partial<Parameters<HouseDaemon["clone"]>[0]> = {}): Promise<void> {
    const options = { cell: shop, snapshot: monday, name: copy, publish: [], ...over };
    return this.daemon.clone(options, this.house.request(), silent, forever());
  }

  async names(): Promise<readonly string[]> {
    return (await this.daemon.snapshots(shop)).map(({ name }) => name);
  }
}

it("holds the whole monolith still where the pool cannot take all volumes at once", async () => {
  const { daemon, house, ...rest } = await Shop.open();
  expect(rest).toEqual({});
  const taken = await daemon.snapshot(shop, monday, house.request(), forever());
  expect(taken).toMatchObject({ name: monday, consistent: true, volumes: [{ volume: "data" }] });
  expect(house.held).toEqual(["shop"]);
  expect(house.journal()).toEqual([]);
});

it("holds nothing still where one act takes all volumes", async () => {
  const house = await House.build();
  const daemon = await house.daemon({
    driver: { ...house.driver, pool: { ...house.driver.pool, isOneInstant: true } },
  });
  await house.up(daemon, SHOP);
  await daemon.snapshot(shop, monday, house.request(), forever());
  expect(house.held).toEqual([]);
});

it("keeps no snapshot during which something ran", async () => {
  const open = await Shop.open();
  open.house.holdsStill = false;
  await expect(open.take(monday)).rejects.toMatchObject({ code: "DEADLINE" });
  expect(await open.names()).toEqual([]);
});

it("takes one for each request id, and refuses a name in use", async () => {
  const open = await Shop.open();
  await open.take(monday, "once");
  await open.take(monday, "once");
  await expect(open.take(monday)).rejects.toMatchObject({ code: "SNAPSHOT_EXISTS" });
  expect(await open.names()).toEqual([monday]);
});

it("takes, lists and rolls back the whole monolith only", async () => {
  const open = await Shop.open();
  const part = open.daemon.snapshots(cell("shop/db"));
  await expect(part).rejects.toMatchObject({ code: "WRONG_STATE", hint: "name the whole: shop" });
  await expect(open.daemon.snapshots(cell("shed"))).rejects.toMatchObject({
    code: "CELL_NOT_FOUND",
  });
});

it("refuses a rollback under running units, and changes nothing", async () => {
  const open = await Shop.open();
  await open.take(monday);
  await expect(open.rollBack(monday)).rejects.toMatchObject({
    code: "WRONG_STATE",
    hint: "henge stop shop first; nothing was changed",
  });
  expect(open.house.journal()).toEqual([]);
  expect((await states(open.daemon))["shop/db:db"]).toBe("running");
});

it("rolls a stopped monolith back, knows its volumes again, and starts nothing", async () => {
  const open = await Shop.open();
  await open.take(monday);
  await open.take(tuesday);
  await open.stop();
  await expect(open.rollBack("sunday" as SnapshotName)).rejects.toMatchObject({
    code: "SNAPSHOT_NOT_FOUND",
    hint: "it has: monday, tuesday",
  });
  await open.rollBack(monday);
  expect(await open.names()).toEqual([monday]);
  expect(await states(open.daemon)).toMatchObject({
    ...{ shop: "running", "shop/db": "running", "shop/web": "running" },
    "shop/db:db": "stopped",
  });
  await open.daemon.start({ cell: shop }, open.house.request(), silent, forever());
  expect((await states(open.daemon))["shop/web:web"]).toBe("running");
});

it("finishes a rollback that a crash interrupted, and mounts nothing before", async () => {
  const open = await Shop.open();
  await open.take(monday);
  await open.stop();
  const broken = {
    ...open.house.driver,
    snapshots: {
      ...open.house.driver.snapshots,
      rollBack: () => Promise.reject(new Error("the daemon was killed")),
    },
  };
  const killed = await open.house.daemon({ driver: broken });
  await expect(open.rollBack(monday, killed)).rejects.toThrow("internal error");
  const stillBroken = await open.house.daemon({ driver: broken });
  const start = stillBroken.start({ cell: shop }, open.house.request(), silent, forever());
  await expect(start).rejects.toThrow("internal error");
  expect(open.house.journal().filter((line) => line.startsWith("start"))).toEqual([]);
  const next = await open.house.daemon();
  await settle(async () => {
    const events = [];
    for await (const event of next.events({ follow: false, sinceSeq: 0 }, forever()))
      events.push(event);
    return events.some((event) => event.kind === "snapshot" && event.what === "rolled-back");
  });
  await next.start({ cell: shop }, open.house.request(), silent, forever());
  expect((await states(next))["shop/web:web"]).toBe("running");
});

it("starts a clone beside the original, on another port and with its own volumes", async () => {
  const open = await Shop.open(PUBLISHING);
  await open.take(monday);
  await open.clone();
  const seen = await states(open.daemon);
  expect([seen["copy/web:web"], seen["shop/web:web"]]).toEqual(["running", "running"]);
  const made = await open.daemon.get(cell("copy"));
  // 8081 is taken by somebody else.
  expect(made.publish).toEqual([{ hostAddress: "127.0.0.1", hostPort: 8082, cellPort: 80 }]);
  const [mine, theirs] = await Promise.all(
    [shop, cell("copy")].map((name) =>
      open.house.driver.volumes.source(name as string as MonolithName, "data" as never),
    ),
  );
  expect(theirs?.guid).not.toBe(mine?.guid);
});

it("refuses a clone onto a name in use, of no snapshot, or on a port in use", async () => {
  const open = await Shop.open(PUBLISHING);
  await open.take(monday);
  await expect(open.clone({ name: "shop" as MonolithName })).rejects.toMatchObject({
    code: "CELL_EXISTS",
  });
  await expect(open.clone({ snapshot: tuesday })).rejects.toMatchObject({
    code: "SNAPSHOT_NOT_FOUND",
  });
  const publish = [{ hostAddress: "127.0.0.1", hostPort: 8080, cellPort: 80 }];
  await expect(open.clone({ publish })).rejects.toMatchObject({ code: "WRONG_STATE" });
  expect(await open.house.driver.volumes.listMonoliths()).toEqual(["shop"]);
  expect((await open.daemon.list()).map(({ name }) => name)).not.toContain("copy");
});

it("leaves no volume of a clone that could not be made", async () => {
  const open = await Shop.open();
  await open.take(monday);
  const full = {
    ...open.house.driver,
    volumes: {
      ...open.house.driver.volumes,
      clone: () => Promise.reject(new Error("the pool is full")),
    },
  };
  const daemon = await open.house.daemon({ driver: full });
  const options = { cell: shop, snapshot: monday, name: copy, publish: [] };
  const clone = daemon.clone(options, open.house.request(), silent, forever());
  await expect(clone).rejects.toThrow("internal error");
  expect(await open.house.driver.volumes.listMonoliths()).toEqual(["shop"]);
  await open.clone();
});

it("takes a snapshot before each change the manifest wants one for, and keeps the newest", async () => {
  const open = await Shop.open(CAREFUL);
  expect(await open.names()).toEqual([]);
  await open.take(monday);
  const restart = async () => {
    open.house.clock.advance(1_000);
    await open.daemon.restart({ cell: cell("shop/web") }, open.house.request(), silent, forever());
  };
  await restart();
  await restart();
  await open.house.up(open.daemon, CAREFUL);
  await open.house.up(open.daemon, CAREFUL.replace("512MiB", "1GiB"));
  const names = await open.names();
  expect(names.map((name) => name.replace(/-\d.*/, ""))).toEqual([
    "monday",
    "before-restart",
    "before-up",
  ]);
});

it("changes nothing when the snapshot before it cannot be taken", async () => {
  const open = await Shop.open(CAREFUL);
  open.house.holdsStill = false;
  await expect(open.stop()).rejects.toMatchObject({ code: "DEADLINE" });
  expect(open.house.journal()).toEqual([]);
  expect((await states(open.daemon))["shop/db:db"]).toBe("running");
});

it("destroys a monolith's snapshots with its data", async () => {
  const open = await Shop.open();
  await open.take(monday);
  const options = { destroyData: true, requestId: open.house.request() };
  await open.daemon.free(shop, options, silent, forever());
  expect(await open.house.driver.snapshots.list("shop" as MonolithName)).toEqual([]);
});
