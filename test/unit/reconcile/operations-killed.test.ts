// A daemon that is killed within an operation: the next one takes it up.

import { describe, expect, it } from "vitest";

import type { Progress } from "../../../src/reconcile/control.js";
import type { MonolithName, SnapshotName, UnitName } from "../../../src/spec/index.js";
import type { HouseDaemon } from "../../fixture/house-daemon.js";
import type { House } from "../../fixture/house.js";
import { allEnded, openShop, options, source } from "../../fixture/operations.js";
import { SHOP, cell, forever, settle, silent, states } from "../../fixture/shop.js";

const shop = cell("shop");
const monday = "monday" as SnapshotName;

describe("a daemon that is killed", () => {
  /** Kills it at the nth step of what is asked; the next one is there when this returns. */
  async function killAt(
    house: House,
    daemon: HouseDaemon,
    step: number,
    ask: (report: (progress: Progress) => void) => Promise<unknown>,
  ): Promise<HouseDaemon> {
    let begun = 0;
    let killed = false;
    ask((progress) => {
      if (progress.kind === "begin" && ++begun === step) {
        killed = true;
        daemon.end();
      }
    }).catch(() => undefined);
    await settle(() => killed);
    // What a fake was doing comes to its end with the process.
    await new Promise((resolve) => setTimeout(resolve, 20));
    const next = await house.daemon();
    await allEnded(next);
    return next;
  }

  it.each([1, 2, 3, 4, 5])("in a down, at step %i: the next one ends it", async (step) => {
    const { house, daemon } = await openShop();
    const next = await killAt(house, daemon, step, (report) =>
      daemon.free(shop, { destroyData: true, requestId: "r1" }, report, forever()),
    );
    expect(next.operation("r1")).toMatchObject({ state: "done" });
    expect(await next.list()).toEqual([]);
    expect(house.world.cells.size).toBe(0);
    expect(await house.cgroups.list()).toEqual([]);
    expect(await house.driver.volumes.listMonoliths()).toEqual([]);
  });

  it.each([1, 2, 3])("in an up of a change, at step %i: the next one ends it", async (step) => {
    const { house, daemon } = await openShop();
    const changed = SHOP.replace("[/bin/web]", "[/bin/web, --fast]").replace("512MiB", "1GiB");
    const next = await killAt(house, daemon, step, (report) =>
      daemon.apply(source(changed), options("r1"), report, forever()),
    );
    expect(next.operation("r1")).toMatchObject({ state: "done" });
    expect(await house.plan(next, changed)).toEqual([]);
  });

  it("in a clone that is not desired yet: nothing of it is left, and it can be asked again", async () => {
    const { house, daemon } = await openShop();
    await daemon.snapshot(shop, monday, house.request(), forever());
    const copy = { cell: shop, snapshot: monday, name: "copy" as MonolithName, publish: [] };
    const next = await killAt(house, daemon, 1, (report) =>
      daemon.clone(copy, "r1", report, forever()),
    );
    expect(next.operation("r1")).toMatchObject({ state: "failed" });
    expect(next.operation("r1").error?.message).toContain("nothing of copy is left");
    expect(await house.driver.volumes.listMonoliths()).toEqual(["shop"]);
    await next.clone(copy, house.request(), silent, forever());
    expect((await states(next))["copy/web:web"]).toBe("running");
  });

  it("in a restart: the next one restarts what it had not come to, and only that", async () => {
    const { house, daemon } = await openShop();
    const web = () => house.world.pidOf("shop/web", "web");
    const before = web();
    const next = await killAt(house, daemon, 2, (report) =>
      daemon.restart({ cell: cell("shop/web"), unit: "web" as UnitName }, "r1", report, forever()),
    );
    expect(next.operation("r1")).toMatchObject({ state: "done" });
    expect(web()).not.toBe(before);
    expect(house.journal()).toEqual(["stop shop/web:web", "start shop/web:web"]);
  });
});
