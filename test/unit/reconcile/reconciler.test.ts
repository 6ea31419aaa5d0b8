// One daemon over a host of fakes: a monolith comes up, changes and is kept up, or is refused with a reason.

import { expect, it } from "vitest";

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
  expect((await house.driver.volumes.list("shop" as never)).map(({ name }) => name)).toEqual([
    "data",
  ]);
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

it("refuses limits whose controller the host does not offer, and changes nothing", async () => {
  const house = await House.build({ offered: ["pids"] });
  const daemon = await house.daemon();
  await expect(house.up(daemon, SHOP)).rejects.toMatchObject({
    code: "KERNEL_REFUSED",
    message:
      "cannot apply shop: this host does not offer the cgroup controllers memory (shop memory.oom.group, shop memory.max)",
  });
  expect(await daemon.list()).toEqual([]);
  await expect(house.plan(daemon, SHOP)).rejects.toThrow("does not offer the cgroup controllers");
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
