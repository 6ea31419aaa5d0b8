// Requests that come twice, meet another or are broken off, and the line each leaves in the audit log.

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import type { UnitName } from "../../../src/spec/index.js";
import type { WardenPort } from "../../../src/warden/port.js";
import { createFakeWardens } from "../../fake/warden.js";
import { House } from "../../fixture/house.js";
import { SHOP, cell, forever, settle, silent, states } from "../../fixture/shop.js";

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
  await expect(daemon.apply(source, options, silent, interrupted.signal)).rejects.toMatchObject({
    code: "CANCELLED",
    message: expect.stringMatching(/cancelled .*nothing of it runs$/) as string,
  });
  expect(await house.cgroups.list()).toEqual([]);
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
