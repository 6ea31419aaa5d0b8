import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import type { Reconciler } from "../../../src/reconcile/reconciler.js";
import type { WardenPort } from "../../../src/warden/port.js";
import type { UnitName } from "../../../src/spec/index.js";
import { createFakeWardens } from "../../fake/warden.js";
import { House } from "../../fixture/house.js";
import { SHOP, cell, forever, settle, silent, states } from "../../fixture/shop.js";

it("brings a monolith up in the order of its dependencies, and then plans nothing", async () => {
  const house = await House.build();
  const daemon = await house.daemon();
  await house.up(daemon, SHOP);
  expect(house.journal()).toEqual([
    "start shop/db:db",
    "start shop/web:migrate",
    "start shop/web:web",
  ]);
  expect(await states(daemon)).toEqual({
    shop: "running",
    "shop/db": "running",
    "shop/db:db": "running",
    "shop/web": "running",
    "shop/web:migrate": "done",
    "shop/web:web": "running",
  });
  expect(await house.plan(daemon, SHOP)).toEqual([]);
});

it("restarts just the unit that was changed", async () => {
  const house = await House.build();
  const daemon = await house.daemon();
  await house.up(daemon, SHOP);
  house.journal();
  await house.up(daemon, SHOP.replace("[/bin/web]", "[/bin/web, --fast]"));
  expect(house.journal()).toEqual(["stop shop/web:web", "start shop/web:web"]);
});

it("writes a changed limit live", async () => {
  const house = await House.build();
  const daemon = await house.daemon();
  await house.up(daemon, SHOP);
  house.journal();
  const steps = await house.up(daemon, SHOP.replace("512MiB", "1GiB"));
  expect(steps.map(({ kind }) => kind)).toEqual(["set-limit"]);
  expect(house.journal()).toEqual([]);
  expect((await house.cgroups.readLimits(cell("shop")))["memory.max"]).toBe(String(1024 ** 3));
});

it("stops and frees a cell that was removed, and keeps its volume", async () => {
  const house = await House.build();
  const daemon = await house.daemon();
  await house.up(daemon, SHOP);
  house.journal();
  const withoutWeb = SHOP.slice(0, SHOP.indexOf("  web:"));
  await house.up(daemon, withoutWeb);
  expect(house.journal()).toEqual(["stop shop/web:web", "free shop/web"]);
  await daemon.free(
    cell("shop"),
    { destroyData: false, requestId: house.request() },
    silent,
    forever(),
  );
  expect(await daemon.list()).toEqual([]);
  expect((await house.volumes.listVolumes("shop" as never)).map(({ name }) => name)).toEqual([
    "data",
  ]);
});

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
  const told = async (daemon: Reconciler): Promise<readonly unknown[]> => {
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

it("keeps a cell on its node; a node the host lacks is refused with those it has", async () => {
  const house = await House.build();
  const daemon = await house.daemon();
  const on = (node: string): string => SHOP.replace("memory.max: 512MiB", `numa: ${node}`);
  await house.up(daemon, on("node1"));
  expect((await daemon.get(cell("shop"))).limits).toEqual({
    "cpuset.cpus": "2-3",
    "cpuset.mems": "1",
  });
  expect(await house.plan(daemon, on("node1"))).toEqual([]);
  await house.up(daemon, on("node0"));
  expect((await daemon.get(cell("shop"))).limits).toMatchObject({ "cpuset.mems": "0" });
  await expect(house.up(daemon, on("node2"))).rejects.toMatchObject({
    code: "KERNEL_REFUSED",
    message: "cannot place shop on node2: this host has only node0, node1",
  });
});

it("says that memory ran out, where a unit was killed for it", async () => {
  const house = await House.build();
  const daemon = await house.daemon();
  await house.up(daemon, SHOP);
  house.world.end("shop/web", "web", { signal: "SIGKILL", outOfMemory: true });
  const { units } = await daemon.get(cell("shop/web"));
  expect(units.find(({ name }) => name === "web")).toMatchObject({
    ...{ state: "backoff", reason: "out of memory" },
    exit: { signal: "SIGKILL", outOfMemory: true },
  });
});

it("starts a unit that ended by itself again, after its back-off", async () => {
  const house = await House.build();
  const daemon = await house.daemon();
  await house.up(daemon, SHOP);
  house.journal();
  house.world.end("shop/web", "web", { signal: "SIGSEGV" });
  expect((await states(daemon))["shop/web:web"]).toBe("backoff");
  expect(house.journal()).toEqual([]);
  house.clock.advance(1_000);
  await settle(async () => (await states(daemon))["shop/web:web"] === "running");
  expect(house.journal()).toEqual(["start shop/web:web"]);
  expect(
    (await daemon.get(cell("shop/web"))).units.find(({ name }) => name === "web")?.restarts,
  ).toBe(1);
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

it("does not start what waits for a one-shot that failed", async () => {
  const house = await House.build();
  const daemon = await house.daemon();
  const failing = house.up(daemon, SHOP.replace("/bin/migrate", "/fails"));
  await expect(failing).rejects.toThrow("cannot bring up shop/web:migrate: failed, exit 1");
  expect((await states(daemon))["shop/web:web"]).toBe("stopped");
});

it("knows when a unit was started whose end came before the answer to its start", async () => {
  const house = await House.build();
  const daemon = await house.daemon();
  await house.up(daemon, SHOP);
  const { units } = await daemon.get(cell("shop/web"));
  const migrate = units.find(({ name }) => name === "migrate");
  expect(migrate).toMatchObject({ state: "done", startedAtMs: 0, exit: { code: 0 } });
});

it("tells why a program cannot be started", async () => {
  const house = await House.build();
  const daemon = await house.daemon();
  const failing = house.up(
    daemon,
    SHOP.replace("argv: [/bin/web]", "argv: [/missing], restart: never"),
  );
  await expect(failing).rejects.toThrow(
    /cannot bring up shop\/web:web: failed, .*\/missing.*ENOENT/,
  );
});

it("leaves no cgroup of a cell whose allocation was interrupted", async () => {
  const house = await House.build();
  const interrupted = new AbortController();
  const wardens: WardenPort = {
    ...createFakeWardens(house.world),
    allocate: () => {
      interrupted.abort();
      return Promise.reject(new Error("interrupted"));
    },
  };
  const daemon = await house.daemon({ wardens });
  const source = { file: "shop.yaml", directory: "/", text: SHOP };
  const options = { allowMissingControllers: false, requestId: house.request() };
  await expect(daemon.apply(source, options, silent, interrupted.signal)).rejects.toThrow(
    "interrupted",
  );
  expect(await house.cgroups.list()).toEqual([]);
});

it("shows a cell whose warden is gone as unsupervised; stop and up still work", async () => {
  const house = await House.build();
  const daemon = await house.daemon();
  await house.up(daemon, SHOP);
  house.world.lose("shop/web");
  expect((await states(daemon))["shop/web"]).toBe("unsupervised");
  await daemon.stop({ cell: cell("shop/web") }, house.request(), silent, forever());
  expect((await states(daemon))["shop/web"]).toBe("absent");
  await house.up(daemon, SHOP);
  expect((await states(daemon))["shop/web:web"]).toBe("running");
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

it("refuses a second change while one is under way", async () => {
  const house = await House.build();
  const daemon = await house.daemon();
  const waiting = SHOP.replace("argv: [/bin/web]", "argv: [/bin/web], readiness: notify");
  const interrupted = new AbortController();
  const source = { file: "shop.yaml", directory: "/", text: waiting };
  const options = { allowMissingControllers: false, requestId: house.request() };
  const first = daemon.apply(source, options, silent, interrupted.signal);
  await settle(() => house.world.pidOf("shop/web", "web") !== undefined);
  await expect(house.up(daemon, SHOP)).rejects.toMatchObject({
    code: "BUSY",
    message: "cannot up shop: up is under way",
  });
  interrupted.abort();
  await expect(first).rejects.toThrow();
});

it("gives way to an operator while it brings up by itself what is desired", async () => {
  const house = await House.build();
  const first = await house.daemon();
  const waiting = SHOP.replace("argv: [/bin/web]", "argv: [/bin/web], readiness: notify");
  const interrupted = new AbortController();
  const source = { file: "shop.yaml", directory: "/", text: waiting };
  const options = { allowMissingControllers: false, requestId: house.request() };
  const up = first.apply(source, options, silent, interrupted.signal);
  await settle(() => house.world.pidOf("shop/web", "web") !== undefined);
  interrupted.abort();
  await expect(up).rejects.toThrow();
  first.end();
  const next = await house.daemon(); // waits for a readiness that does not come
  await settle(async () =>
    (await readFile(join(house.directory, "audit.log"), "utf8")).includes("converge"),
  );
  await house.up(next, SHOP);
  expect((await states(next))["shop/web:web"]).toBe("running");
});

it("acts once for a request that is sent again", async () => {
  const house = await House.build();
  const daemon = await house.daemon();
  await house.up(daemon, SHOP);
  house.journal();
  const target = { cell: cell("shop/web"), unit: "web" as UnitName };
  await Promise.all([1, 2, 3].map(() => daemon.restart(target, "same", silent, forever())));
  expect(house.journal()).toEqual(["stop shop/web:web", "start shop/web:web"]);
});

it("refuses limits whose controller the host does not offer, and changes nothing", async () => {
  const house = await House.build({ offered: ["pids"] });
  const daemon = await house.daemon();
  await expect(house.up(daemon, SHOP)).rejects.toMatchObject({
    code: "KERNEL_REFUSED",
    message:
      "cannot apply shop: this host does not offer the cgroup controllers memory (shop memory.oom.group, shop memory.max)",
  });
  expect(await daemon.list()).toEqual([]);
  expect((await house.plan(daemon, SHOP)).map(({ reason }) => reason)).toContain(
    "not allocated; up refuses it: not offered here: memory.oom.group, memory.max",
  );
  await house.up(daemon, SHOP, { allow: true });
  expect((await states(daemon))["shop/web:web"]).toBe("running");
});

it("refuses a port that another monolith has published", async () => {
  const house = await House.build();
  const daemon = await house.daemon();
  const publishing = SHOP.replace("network: own", 'network: own\npublish: ["127.0.0.1:8080:80"]');
  await house.up(daemon, publishing);
  await expect(house.up(daemon, publishing.replace("name: shop", "name: blog"))).rejects.toThrow(
    "cannot publish 127.0.0.1:8080 for blog: shop has published it",
  );
});

it("names the cells it knows when it is asked for another", async () => {
  const house = await House.build();
  const daemon = await house.daemon();
  await house.up(daemon, SHOP);
  await expect(daemon.get(cell("shop/wed"))).rejects.toMatchObject({
    code: "CELL_NOT_FOUND",
    hint: "known cells: shop, shop/db, shop/web",
  });
});

const UNWELL = SHOP.replace(
  "argv: [/bin/db]",
  "argv: [/bin/db], liveness: { exec: [/fails], interval: 10s, failures: 3 }",
);

it("restarts a unit that is no longer alive", async () => {
  const house = await House.build();
  const daemon = await house.daemon();
  await house.up(daemon, UNWELL);
  house.journal();
  await settle(() => {
    house.clock.advance(1_000);
    return house.world.journal.includes("start shop/db:db");
  });
  expect(house.journal()).toEqual(["stop shop/db:db", "start shop/db:db"]);
});

it("does not take a frozen cell for one that is no longer alive", async () => {
  const house = await House.build();
  const daemon = await house.daemon();
  await house.up(daemon, UNWELL);
  await daemon.freeze(cell("shop/db"), house.request(), forever());
  house.journal();
  for (let n = 0; n < 100; n++) {
    house.clock.advance(1_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(house.journal()).toEqual([]);
  expect((await states(daemon))["shop/db"]).toBe("frozen");
});

it("writes a line before every change and one after it", async () => {
  const house = await House.build();
  const daemon = await house.daemon();
  await house.up(daemon, SHOP, { requestId: "r1" });
  const lines = (await readFile(join(house.directory, "audit.log"), "utf8")).trim().split("\n");
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { requestId: "r1", verb: "up", target: "shop" },
    { requestId: "r1", verb: "up", target: "shop", result: "ok" },
  ]);
});
