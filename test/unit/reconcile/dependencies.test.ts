// Units that lose what they start after, across the cells of a monolith.

import { expect, it } from "vitest";

import type { HouseDaemon } from "../../fixture/house-daemon.js";
import type { UnitName, UnitStatus } from "../../../src/spec/index.js";
import { House } from "../../fixture/house.js";
import { SHOP, cell, forever, settle, silent, states } from "../../fixture/shop.js";

const TWO = `${SHOP}      jobs: { argv: [/bin/jobs], after: ["db:db"] }\n`;

async function unitOf(daemon: HouseDaemon, name: string): Promise<UnitStatus> {
  const { units } = await daemon.get(cell("shop/web"));
  const found = units.find((unit) => unit.name === (name as UnitName));
  if (found === undefined) throw new Error(`no unit ${name}`);
  return found;
}

async function build(text = TWO): Promise<{ readonly house: House; readonly daemon: HouseDaemon }> {
  const house = await House.build();
  const daemon = await house.daemon();
  await house.up(daemon, text.replace("after: [migrate]", 'after: [migrate, "db:db"]'));
  house.journal();
  return { house, daemon };
}

const db = { cell: cell("shop/db") };

it("waits with the units that lost the database, and starts them one after another when it is back", async () => {
  const { house, daemon } = await build();
  await daemon.stop(db, house.request(), silent, forever());
  for (const name of ["web", "jobs"]) house.world.end("shop/web", name, { code: 0 });
  for (const name of ["web", "jobs"])
    expect(await unitOf(daemon, name)).toMatchObject({
      ...{ state: "backoff", ready: false },
      reason: "exit 0 while shop/db:db is not up",
    });
  house.clock.advance(30_000);
  expect(house.journal()).toEqual(["stop shop/db:db"]);
  await daemon.start(db, house.request(), silent, forever());
  house.clock.advance(250);
  expect(house.journal()).toEqual(["start shop/db:db", "start shop/web:jobs"]);
  house.clock.advance(500);
  expect(house.journal()).toEqual(["start shop/web:web"]);
  await settle(async () => (await states(daemon))["shop/web:web"] === "running");
});

it("never takes the database's absence for a crash loop", async () => {
  const { house, daemon } = await build();
  await daemon.stop(db, house.request(), silent, forever());
  for (let n = 0; n < 8; n++) {
    house.world.end("shop/web", "web", { code: 1 });
    expect((await unitOf(daemon, "web")).state).toBe("backoff");
    house.clock.advance(60_000);
    await settle(() => house.world.pidOf("shop/web", "web") !== undefined);
  }
  expect(await unitOf(daemon, "web")).toMatchObject({ state: "running", restarts: 8 });
});

it("still shows a crash loop of a unit's own", async () => {
  const { house, daemon } = await build();
  for (let n = 0; n < 5; n++) {
    await settle(() => house.world.pidOf("shop/web", "web") !== undefined);
    house.world.end("shop/web", "web", { code: 1 });
    if (n < 4) house.clock.advance(60_000);
  }
  expect((await unitOf(daemon, "web")).state).toBe("crashloop");
});

it("goes by what the manifest says now a unit starts after", async () => {
  const { house, daemon } = await build();
  const without = TWO.replace('argv: [/bin/jobs], after: ["db:db"]', "argv: [/bin/jobs]");
  expect(await house.up(daemon, without)).toEqual([]);
  await daemon.stop(db, house.request(), silent, forever());
  house.world.end("shop/web", "jobs", { code: 1 });
  expect(await unitOf(daemon, "jobs")).toMatchObject({ state: "backoff", reason: "exit 1" });
});

it("knows what is not up when a new daemon finds both of them ended", async () => {
  const { house, daemon } = await build();
  daemon.end();
  house.world.end("shop/db", "db", { code: 1 });
  house.world.end("shop/web", "web", { code: 0 });
  const next = await house.daemon();
  expect(await unitOf(next, "web")).toMatchObject({
    state: "backoff",
    reason: "exit 0 while shop/db:db is not up",
  });
  house.clock.advance(1_000);
  await settle(async () => (await states(next))["shop/db:db"] === "running");
  house.clock.advance(1_000);
  await settle(() => house.world.pidOf("shop/web", "web") !== undefined);
  expect(house.journal()).toEqual(["start shop/db:db", "start shop/web:web"]);
});

const UNWELL = TWO.replace(
  "argv: [/bin/db]",
  "argv: [/bin/db], health: { exec: [/fails], interval: 1s, failures: 3 }",
);

it("shows a unit whose health probe fails as degraded, plans nothing for it and never restarts it", async () => {
  const { house, daemon } = await build(UNWELL);
  const degraded = async (): Promise<boolean> =>
    (await states(daemon))["shop/db:db"] === "degraded";
  for (let n = 0; n < 2; n++) {
    house.clock.advance(1_000);
    await new Promise((resolve) => setTimeout(resolve));
    expect(await degraded()).toBe(false);
  }
  await settle(async () => {
    house.clock.advance(1_000);
    return degraded();
  });
  const [unit] = (await daemon.get(cell("shop/db"))).units;
  expect(unit).toMatchObject({ ready: false, reason: "exec probe: exit 1", restarts: 0 });
  const text = UNWELL.replace("after: [migrate]", 'after: [migrate, "db:db"]');
  expect(await house.plan(daemon, text)).toEqual([]);
  house.clock.advance(600_000);
  await daemon.restart({ cell: cell("shop/web") }, house.request(), silent, forever());
  expect(house.journal()).not.toContain("stop shop/db:db");
  const told = [];
  for await (const event of daemon.events({ follow: false, sinceSeq: 0 }, forever()))
    if (event.kind === "unit-state" && event.unit === "db") told.push(event.state);
  expect(told).toEqual(["starting", "running", "degraded"]);
});
