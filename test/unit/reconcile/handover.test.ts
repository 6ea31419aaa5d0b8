import { expect, it } from "vitest";

import type { HouseDaemon } from "../../fixture/house-daemon.js";
import { House } from "../../fixture/house.js";
import { cell, forever, settle, silent } from "../../fixture/shop.js";

const MANIFEST = `
henge: 1
name: shop
root: host
network: own
units:
  web:
    argv: [/bin/web]
    listen: { web: "0.0.0.0:3000" }
    readiness: notify
    handover: true
  jobs: { argv: [/bin/jobs] }
  s1: { argv: [/bin/s], restart: { stagger: 10s } }
  s2: { argv: [/bin/s], restart: { stagger: 10s } }
`;
const SHOP = cell("shop");

async function up(): Promise<{ house: House; daemon: HouseDaemon }> {
  const house = await House.build();
  const daemon = await house.daemon();
  const applied = house.up(daemon, MANIFEST);
  await settle(() => house.world.pidsOf("shop", "web").length === 1);
  house.world.ready("shop", "web");
  await applied;
  house.journal();
  return { house, daemon };
}

function restart(house: House, daemon: HouseDaemon, unit: string): Promise<void> {
  const target = { cell: SHOP, unit: unit as never };
  const restarted = daemon.restart(target, house.request(), silent, forever());
  restarted.catch(() => undefined);
  return restarted;
}

const runs = (house: House): readonly number[] => house.world.pidsOf("shop", "web");

async function seen(daemon: HouseDaemon) {
  return (await daemon.get(SHOP)).units.find(({ name }) => (name as string) === "web");
}

it("stops the old run only when the new one is ready", async () => {
  const { house, daemon } = await up();
  const [old] = runs(house);
  const restarted = restart(house, daemon, "web");
  await settle(() => runs(house).length === 2);
  expect(house.journal()).toEqual(["start beside shop:web"]);
  expect(await seen(daemon)).toMatchObject({ state: "running", ready: true, pid: old });
  const [, next] = runs(house);
  house.world.ready("shop", "web");
  await restarted;
  expect(house.journal()).toEqual(["stop first shop:web"]);
  expect(runs(house)).toEqual([next]);
  expect(await seen(daemon)).toMatchObject({ state: "running", pid: next, restarts: 0 });
});

it("keeps the old run and its spec when the new one is not ready in time, and says so", async () => {
  const { house, daemon } = await up();
  const [old] = runs(house);
  const changed = house.up(daemon, MANIFEST.replace("[/bin/web]", "[/bin/web, --broken]"));
  changed.catch(() => undefined);
  await settle(() => runs(house).length === 2);
  house.clock.advance(60_000);
  await expect(changed).rejects.toMatchObject({
    code: "WRONG_STATE",
    message: "cannot hand over shop:web to a new run: not ready after 60 s; the run before goes on",
    hint: "henge logs shop:web --tail 50 shows what it said",
  });
  expect(house.journal()).toEqual(["start beside shop:web", "stop next shop:web"]);
  expect(runs(house)).toEqual([old]);
  expect(await seen(daemon)).toMatchObject({ state: "running", pid: old });
  expect((await seen(daemon))?.spec.argv).toEqual(["/bin/web"]);
  expect((await seen(daemon))?.rejected?.argv).toEqual(["/bin/web", "--broken"]);
});

it("keeps the old run when the new one ends or cannot be started", async () => {
  const { house, daemon } = await up();
  const [old] = runs(house);
  const ended = restart(house, daemon, "web");
  await settle(() => runs(house).length === 2);
  house.world.end("shop", "web", { code: 3 }, runs(house)[1]);
  await expect(ended).rejects.toThrow("new run: exit 3; the run before goes on");
  const missing = house.up(daemon, MANIFEST.replace("/bin/web", "/missing"));
  await expect(missing).rejects.toThrow(
    "cannot execve /missing: there is no such file or directory (ENOENT); the run before goes on",
  );
  expect(runs(house)).toEqual([old]);
});

it("is finished by the next daemon, wherever the last one was killed", async () => {
  const { house, daemon } = await up();
  void restart(house, daemon, "web");
  await settle(() => runs(house).length === 2);
  const [old, next] = runs(house);
  daemon.end();
  const second = await house.daemon();
  expect(await seen(second)).toMatchObject({ state: "running", pid: old });
  second.end();
  house.world.ready("shop", "web"); // while no daemon runs
  const third = await house.daemon();
  await settle(() => runs(house).length === 1);
  expect(runs(house)).toEqual([next]);
  expect(await seen(third)).toMatchObject({ state: "running", pid: next });
  expect(house.journal()).toEqual(["start beside shop:web", "stop first shop:web"]);
});

it("that a manifest asked for is not begun twice when the daemon is killed on the way", async () => {
  const { house, daemon } = await up();
  const text = MANIFEST.replace("[/bin/web]", "[/bin/web, --new]");
  house.up(daemon, text).catch(() => undefined);
  await settle(() => runs(house).length === 2);
  daemon.end();
  const second = await house.daemon();
  expect(await house.plan(second, text)).toEqual([]);
  house.world.ready("shop", "web");
  await settle(() => runs(house).length === 1);
  expect(await house.plan(second, text)).toEqual([]);
  expect((await seen(second))?.spec.argv).toEqual(["/bin/web", "--new"]);
});

it("waits for one that a former daemon began, then does its own", async () => {
  const { house, daemon } = await up();
  void restart(house, daemon, "web");
  await settle(() => runs(house).length === 2);
  const [, next] = runs(house);
  daemon.end();
  await house.forgetOperations();
  const second = await house.daemon();
  const again = restart(house, second, "web");
  house.world.ready("shop", "web");
  await settle(() => runs(house).length === 2 && runs(house)[0] === next);
  house.world.ready("shop", "web");
  await again;
  expect(runs(house)).toHaveLength(1);
});

it("ends with both runs when the unit is stopped", async () => {
  const { house, daemon } = await up();
  void restart(house, daemon, "web");
  await settle(() => runs(house).length === 2);
  daemon.end();
  const second = await house.daemon();
  await second.stop({ cell: SHOP }, house.request(), silent, forever());
  expect(runs(house)).toEqual([]);
  expect(await seen(second)).toMatchObject({ state: "stopped", ready: false });
});

it("never has two runs of a unit that does not hand over", async () => {
  const { house, daemon } = await up();
  await restart(house, daemon, "jobs");
  expect(house.journal()).toEqual(["stop shop:jobs", "start shop:jobs"]);
});

it("takes turns where units are staggered, a random part of the pause apart", async () => {
  const { house, daemon } = await up();
  const restarted = Promise.all([
    house.up(daemon, MANIFEST.replaceAll("[/bin/s]", "[/bin/s, -v]")),
  ]);
  await settle(() => house.world.journal.length === 2);
  expect(house.world.journal).toEqual(["stop shop:s1", "start shop:s1"]);
  house.clock.advance(4_999);
  expect(house.world.journal).toHaveLength(2);
  house.clock.advance(1);
  await restarted;
  expect(house.journal().slice(2)).toEqual(["stop shop:s2", "start shop:s2"]);
});
