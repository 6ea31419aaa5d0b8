// What a daemon makes of what ran, ended or was written down before it started.

import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import type { HouseDaemon } from "../../fixture/house-daemon.js";
import type { UnitName } from "../../../src/spec/index.js";
import { House } from "../../fixture/house.js";
import { SHOP, cell, forever, settle, silent, states } from "../../fixture/shop.js";

it("adopts everything after a kill -9: same processes, nothing started, nothing to plan", async () => {
  const house = await House.build();
  await house.up(await house.daemon(), SHOP);
  const pid = house.world.pidOf("shop/db", "db");
  house.journal();
  const next = await house.daemon(); // the first one is never ended
  expect(await house.plan(next, SHOP)).toEqual([]);
  expect((await next.get(cell("shop/db"))).units[0]).toMatchObject({ pid, state: "running" });
  expect(house.journal()).toEqual([]);
});

it("gives a cell the network that a killed daemon had not come to, also of a monolith not on record yet", async () => {
  const house = await House.build();
  const daemon = await house.daemon();
  await house.up(daemon, SHOP);
  const initPid = house.network.initPidOf(cell("shop"));
  await house.network.detach(cell("shop"));
  await rm(join(house.directory, "monoliths"), { recursive: true });
  await house.daemon();
  expect(house.network.initPidOf(cell("shop"))).toBe(initPid);
});

it("applies the restart policy once to a unit that ended while no daemon ran, and tells of its end", async () => {
  const house = await House.build();
  const first = await house.daemon();
  await house.up(first, SHOP);
  first.end();
  house.journal();
  house.world.end("shop/web", "web", { code: 37 });
  const next = await house.daemon();
  house.clock.advance(60_000);
  await settle(() => house.world.pidOf("shop/web", "web") !== undefined);
  expect(house.journal()).toEqual(["start shop/web:web"]);
  const events = [];
  for await (const event of next.events({ follow: false, sinceSeq: 0 }, forever()))
    events.push(event);
  expect(events.filter(({ kind }) => kind === "unit-exit").at(-1)).toMatchObject({
    unit: "web",
    exit: { code: 37 },
  });
});

it("tells of memory that ran out once, live or when a daemon comes back, and of pressure", async () => {
  const house = await House.build();
  const first = await house.daemon();
  await house.up(first, SHOP);
  house.world.runOut("shop/db", 2);
  house.world.press("shop/web", "cpu", 31.5);
  first.end();
  house.world.runOut("shop/web", 1);
  const told = async (daemon: HouseDaemon): Promise<readonly unknown[]> => {
    const facts = [];
    for await (const event of daemon.events({ follow: false, sinceSeq: 0 }, forever()))
      if (event.kind === "oom") facts.push([event.cell, event.kills]);
      else if (event.kind === "pressure") facts.push([event.cell, event.resource, event.avg10]);
    return facts;
  };
  const seen = [
    ["shop/db", 2],
    ["shop/web", "cpu", 31.5],
    ["shop/web", 1],
  ];
  expect(await told(await house.daemon())).toEqual(seen);
});

it("tells no exit again whose event is on file no more", async () => {
  const house = await House.build();
  const first = await house.daemon();
  await house.up(first, SHOP);
  house.world.end("shop/web", "web", { code: 37 });
  first.end();
  (await house.daemon()).end();
  await rm(join(house.directory, "events.log"));
  const next = await house.daemon();
  const kinds = [];
  for await (const event of next.events({ follow: false, sinceSeq: 0 }, forever()))
    kinds.push(event.kind);
  expect(kinds).not.toContain("unit-exit");
  expect(kinds).toContain("daemon");
});

it("leaves a unit stopped that an operator stopped, also when a new daemon starts", async () => {
  const house = await House.build();
  const first = await house.daemon();
  await house.up(first, SHOP);
  await first.stop(
    { cell: cell("shop/web"), unit: "web" as UnitName },
    house.request(),
    silent,
    forever(),
  );
  first.end();
  house.journal();
  const next = await house.daemon();
  house.clock.advance(120_000);
  expect((await states(next))["shop/web:web"]).toBe("stopped");
  expect(house.journal()).toEqual([]);
  await next.start({ cell: cell("shop/web") }, house.request(), silent, forever());
  expect(house.journal()).toEqual(["start shop/web:web"]);
});

it("quarantines a monolith whose record is corrupt, and nothing else", async () => {
  const house = await House.build();
  const first = await house.daemon();
  await house.up(first, SHOP);
  await house.up(first, SHOP.replace("name: shop", "name: blog"));
  const record = join(house.directory, "monoliths", "shop.json");
  await writeFile(record, (await readFile(record, "utf8")).slice(0, -20));
  first.end();
  house.journal();
  const next = await house.daemon();
  const seen = await states(next);
  expect([seen["shop"], seen["shop/db"], seen["blog"]]).toEqual([
    "quarantined",
    "quarantined",
    "running",
  ]);
  expect((await next.get(cell("shop"))).reason).toContain("cannot read the record");
  expect(house.journal()).toEqual([]);
});
