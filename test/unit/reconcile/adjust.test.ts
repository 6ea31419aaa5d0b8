import { expect, it } from "vitest";

import type { Progress } from "../../../src/reconcile/control.js";
import type { HouseDaemon } from "../../fixture/house-daemon.js";
import type { UnitName } from "../../../src/spec/index.js";
import { House } from "../../fixture/house.js";
import { cell, forever, settle, silent, states } from "../../fixture/shop.js";

const MANIFEST = (health = "/well", timeout = "30s"): string => `
henge: 1
name: shop
root: host
network: own
units:
  db:
    argv: [/bin/db]
    health: { exec: [${health}], interval: 1s, failures: 1 }
    restart: { backoff-min: 1s }
  web:
    argv: [/bin/web]
    listen: { web: "0.0.0.0:3000" }
    readiness: notify
    handover: true
    start-timeout: ${timeout}
`;
const SHOP = cell("shop");
const BAD = "/fails";

async function up(): Promise<{ house: House; daemon: HouseDaemon }> {
  const house = await House.build();
  const daemon = await house.daemon();
  const applied = house.up(daemon, MANIFEST());
  await settle(() => house.world.pidOf("shop", "web") !== undefined);
  house.world.ready("shop", "web");
  await applied;
  house.journal();
  return { house, daemon };
}

async function seen(daemon: HouseDaemon, unit: string) {
  return (await daemon.get(SHOP)).units.find(({ name }) => (name as string) === unit);
}

/** Returns when the first step is under way. */
async function beginAdjusting(house: House, daemon: HouseDaemon, text: string) {
  let begun: string | undefined;
  const report = (progress: Progress): void => {
    if (progress.kind === "begin") begun ??= progress.step.kind;
  };
  const adjusted = house.up(daemon, text, { report });
  adjusted.catch(() => undefined);
  await settle(() => begun !== undefined);
  expect(begun).toBe("adjust");
  return { adjusted };
}

it("changes a probe of a unit that runs on, and the new one is in force", async () => {
  const { house, daemon } = await up();
  const steps = await house.up(daemon, MANIFEST(BAD));
  expect(steps.map(({ kind, reason }) => `${kind}: ${reason}`)).toEqual([
    'adjust: health.probe.argv[0] "/well" → "/fails"',
  ]);
  await settle(async () => {
    house.clock.advance(1_000);
    return (await states(daemon))["shop:db"] === "degraded";
  });
  expect(await house.plan(daemon, MANIFEST(BAD))).toEqual([]);
  await house.up(daemon, MANIFEST());
  expect((await states(daemon))["shop:db"]).toBe("running");
  expect(house.journal()).toEqual([]);
});

it("is kept by the next daemon, though the warden knows the old one only", async () => {
  const { house, daemon } = await up();
  await house.up(daemon, MANIFEST(BAD));
  daemon.end();
  const next = await house.daemon();
  expect(await house.plan(next, MANIFEST(BAD))).toEqual([]);
  await settle(async () => {
    house.clock.advance(1_000);
    return (await states(next))["shop:db"] === "degraded";
  });
  expect(house.journal()).toEqual([]);
});

it("is done by the next daemon when this one is killed after it was asked", async () => {
  const { house, daemon } = await up();
  const failing = MANIFEST(BAD).replace("[/bin/web]", "[/missing]");
  await expect(house.up(daemon, failing)).rejects.toThrow("the run before goes on");
  daemon.end();
  const next = await house.daemon();
  expect((await seen(next, "db"))?.spec.health?.probe).toMatchObject({ argv: [BAD] });
  // What runs of web is no run of what is declared: it stays what it was started as.
  expect((await seen(next, "web"))?.spec.argv).toEqual(["/bin/web"]);
});

it("does not come back with a new run of the unit", async () => {
  const { house, daemon } = await up();
  await house.up(daemon, MANIFEST(BAD));
  house.world.end("shop", "db", { code: 1 });
  await settle(() => {
    house.clock.advance(1_000);
    return house.world.pidOf("shop", "db") !== undefined;
  });
  expect(house.journal()).toEqual(["start shop:db"]);
  expect((await seen(daemon, "db"))?.spec.health?.probe).toMatchObject({ argv: [BAD] });
});

it("waits for a hand-over that is under way, and changes the run that took over", async () => {
  const { house, daemon } = await up();
  void daemon
    .restart({ cell: SHOP, unit: "web" as UnitName }, house.request(), silent, forever())
    .catch(() => undefined);
  await settle(() => house.world.pidsOf("shop", "web").length === 2);
  daemon.end();
  await house.forgetOperations();
  const next = await house.daemon();
  const { adjusted } = await beginAdjusting(house, next, MANIFEST("/well", "40s"));
  expect((await seen(next, "web"))?.reason).toMatch("hands over");
  house.world.ready("shop", "web");
  expect((await adjusted).map(({ kind }) => kind)).toEqual(["adjust"]);
  expect(await seen(next, "web")).toMatchObject({
    state: "running",
    spec: { startTimeoutMs: 40_000 },
  });
  expect(house.journal()).toEqual(["start beside shop:web", "stop first shop:web"]);
});

it("does not give a run the spec of the one that was to follow it in vain", async () => {
  const { house, daemon } = await up();
  house.up(daemon, MANIFEST().replace("[/bin/web]", "[/bin/web, --new]")).catch(() => undefined);
  await settle(() => house.world.pidsOf("shop", "web").length === 2);
  const [, failing] = house.world.pidsOf("shop", "web");
  daemon.end();
  await house.forgetOperations();
  const next = await house.daemon();
  const text = MANIFEST("/well", "40s").replace("[/bin/web]", "[/bin/web, --new]");
  const { adjusted } = await beginAdjusting(house, next, text);
  house.world.end("shop", "web", { code: 3 }, failing);
  await expect(adjusted).rejects.toMatchObject({
    code: "WRONG_STATE",
    message: "cannot adjust shop:web: it has not handed over",
  });
  expect((await seen(next, "web"))?.spec).toMatchObject({
    argv: ["/bin/web"],
    startTimeoutMs: 30_000,
  });
});
