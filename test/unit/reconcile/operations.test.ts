// Operations: what was asked is on record from before its first act to its outcome.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import type { Progress } from "../../../src/reconcile/control.js";
import type { SnapshotName, UnitName } from "../../../src/spec/index.js";
import type { HouseDaemon } from "../../fixture/house-daemon.js";
import { allEnded, openShop, options, source } from "../../fixture/operations.js";
import { SHOP, cell, forever, settle, silent, states } from "../../fixture/shop.js";

const shop = cell("shop");
const monday = "monday" as SnapshotName;

it("keeps who asked for what, since when, how far it got and how it ended", async () => {
  const { house, daemon } = await openShop();
  await daemon.restart({ cell: cell("shop/web") }, "r1", silent, forever());
  await expect(
    daemon.free(cell("shop/web"), { destroyData: false, requestId: "r2" }, silent, forever()),
  ).rejects.toThrow();
  house.clock.advance(5);
  expect(daemon.operation("r1")).toEqual({
    ...{ id: "r1", verb: "restart", target: "shop/web", caller: "a test" },
    ...{ state: "done", phase: "executing", startedAtMs: 1_000_000, endedAtMs: 1_000_000 },
  });
  // Refused by the request alone: nothing was begun.
  expect(daemon.operations().map(({ id }) => id)).not.toContain("r2");
});

it("has the operation on the disk before its first act, also its end", async () => {
  const { house, daemon } = await openShop();
  const onDisk = async () =>
    JSON.parse(await readFile(join(house.directory, "operations", "r1.json"), "utf8")) as {
      body: { state: string; phase: string };
    };
  const seen: string[] = [];
  const report = async (progress: Progress) => {
    if (progress.kind === "begin") seen.push((await onDisk()).body.state);
  };
  await daemon.restart({ cell: shop }, "r1", (progress) => void report(progress), forever());
  await settle(() => seen.length > 0);
  expect(seen[0]).toBe("running");
  expect((await onDisk()).body).toMatchObject({ state: "done" });
});

describe("a request id", () => {
  it("is the same operation for the same request, also in the next daemon", async () => {
    const { house, daemon } = await openShop();
    const again = (of: HouseDaemon) => of.restart({ cell: shop }, "r1", silent, forever());
    await again(daemon);
    house.journal();
    await again(daemon);
    daemon.end();
    await again(await house.daemon());
    expect(house.journal()).toEqual([]);
  });

  it.each([
    ["another verb", (of: HouseDaemon) => of.thaw(shop, "r1", forever())],
    ["another cell", (of: HouseDaemon) => of.freeze(cell("shop/db"), "r1", forever())],
    ["a manifest", (of: HouseDaemon) => of.apply(source(SHOP), options("r1"), silent, forever())],
    [
      "a down",
      (of: HouseDaemon) => of.free(shop, { destroyData: true, requestId: "r1" }, silent, forever()),
    ],
  ])("is refused for %s, and nothing is done", async (_what, ask) => {
    const { house, daemon } = await openShop();
    await daemon.freeze(cell("shop/web"), "r1", forever());
    await expect(ask(daemon)).rejects.toMatchObject({
      code: "OPERATION_EXISTS",
      message: "cannot use the request id r1: it is that of freeze shop/web",
    });
    expect(house.journal()).toEqual([]);
    expect((await states(daemon))["shop/web"]).toBe("frozen");
  });

  it("gets the failure again of what has failed", async () => {
    const { house, daemon } = await openShop();
    const ask = () => daemon.rollBack(shop, monday, "r1", silent, forever());
    await expect(ask()).rejects.toMatchObject({ code: "SNAPSHOT_NOT_FOUND" });
    await daemon.snapshot(shop, monday, house.request(), forever());
    await expect(ask()).rejects.toMatchObject({ code: "SNAPSHOT_NOT_FOUND" });
  });
});

describe("bad input", () => {
  it("is an operation nobody knows", async () => {
    const { daemon } = await openShop();
    for (const ask of [() => daemon.operation("r9"), () => daemon.cancel("r9", "me")])
      expect(ask).toThrow(
        expect.objectContaining({
          code: "OPERATION_NOT_FOUND",
          hint: "henge operations lists those that are known",
        }),
      );
  });

  it("is a cancel of what has ended", async () => {
    const { daemon } = await openShop();
    await daemon.restart({ cell: shop }, "r1", silent, forever());
    expect(() => daemon.cancel("r1", "me")).toThrow("cannot cancel operation r1: it is done");
    expect(daemon.operation("r1").state).toBe("done");
  });

  it.each([
    ["cut", (text: string) => text.slice(0, text.length / 2), "it is not whole"],
    ["empty", () => "", "it is not whole"],
    ["changed", (text: string) => text.replace("restart", "down   "), "its checksum"],
    ["of a newer version", (text: string) => text.replace('"format":1', '"format":9'), "format"],
  ])("is a record that is %s: said by name, and nothing is done", async (_how, spoil, why) => {
    const { house, daemon } = await openShop();
    await daemon.restart({ cell: shop }, "r1", silent, forever());
    daemon.end();
    const path = join(house.directory, "operations", "r1.json");
    await writeFile(path, spoil(await readFile(path, "utf8")));
    house.journal();
    const next = await house.daemon();
    const found = next.operations().find(({ id }) => id === "r1");
    expect(found).toMatchObject({ state: "unreadable" });
    expect(found?.error?.message).toContain(why);
    expect(() => next.operation("r1")).toThrow("cannot show operation r1: cannot read the record");
    await allEnded(next);
    expect(house.journal()).toEqual([]);
    await next.restart({ cell: shop }, "r2", silent, forever());
  });
});

it("refused for what its root lacks tells each place in the manifest, also on record and to who asks again", async () => {
  const { house, daemon } = await openShop();
  const text = SHOP.replace("argv: [/bin/web]", "argv: [/bin/other], user: nosuch");
  const lack = { unit: "web" as UnitName, path: ["user"], text: "nobody of that name" };
  house.world.foreseen.set(cell("shop/web"), [lack]);
  house.journal();
  const line = text.split("\n").findIndex((one) => one.includes("nosuch")) + 1;
  const refused = {
    code: "MANIFEST_INVALID",
    problems: [{ path: "cells.web.units.web.user", text: lack.text, line }],
  };
  await expect(house.plan(daemon, text)).rejects.toMatchObject(refused);
  for (let time = 0; time < 2; time++)
    await expect(house.up(daemon, text, { requestId: "r1" })).rejects.toMatchObject(refused);
  expect(daemon.operation("r1").error?.message).toContain(
    `line ${String(line)}, cells.web.units.web.user: nobody of that name`,
  );
  expect(house.journal()).toEqual([]);
});
