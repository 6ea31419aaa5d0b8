// Operations: what was asked is on record from before its first act to its outcome, whatever happens to daemon and client.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { HengeError } from "../../../src/errors.js";
import type { Progress } from "../../../src/reconcile/control.js";
import type { MonolithName, SnapshotName, UnitName } from "../../../src/spec/index.js";
import type { WardenPort } from "../../../src/warden/port.js";
import { createFakeWardens } from "../../fake/warden.js";
import type { HouseDaemon } from "../../fixture/house-daemon.js";
import { House } from "../../fixture/house.js";
import { SHOP, cell, forever, settle, silent, states } from "../../fixture/shop.js";

const shop = cell("shop");
const monday = "monday" as SnapshotName;
const WAITING = SHOP.replace("argv: [/bin/web]", "argv: [/bin/web], readiness: notify");

async function open(text = SHOP): Promise<{ house: House; daemon: HouseDaemon }> {
  const house = await House.build();
  const daemon = await house.daemon();
  await house.up(daemon, text);
  house.journal();
  return { house, daemon };
}

const source = (text: string) => ({ file: "shop.yaml", directory: "/", text });
const options = (requestId: string) => ({ allowMissingControllers: false, requestId });

/** Every operation the daemon knows has ended. */
async function allEnded(daemon: HouseDaemon): Promise<void> {
  await settle(() => daemon.operations().every(({ state }) => state !== "running"));
}

function operation(daemon: HouseDaemon, id: string) {
  return daemon.operation(id);
}

it("keeps who asked for what, since when, how far it got and how it ended", async () => {
  const { house, daemon } = await open();
  await daemon.restart({ cell: cell("shop/web") }, "r1", silent, forever());
  await expect(
    daemon.free(cell("shop/web"), { destroyData: false, requestId: "r2" }, silent, forever()),
  ).rejects.toThrow();
  house.clock.advance(5);
  expect(operation(daemon, "r1")).toEqual({
    ...{ id: "r1", verb: "restart", target: "shop/web", caller: "a test" },
    ...{ state: "done", phase: "executing", startedAtMs: 1_000_000, endedAtMs: 1_000_000 },
  });
  // Refused by the request alone: nothing was begun.
  expect(daemon.operations().map(({ id }) => id)).not.toContain("r2");
});

it("has the operation on the disk before its first act, also its end", async () => {
  const { house, daemon } = await open();
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
    const { house, daemon } = await open();
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
    const { house, daemon } = await open();
    await daemon.freeze(cell("shop/web"), "r1", forever());
    await expect(ask(daemon)).rejects.toMatchObject({
      code: "OPERATION_EXISTS",
      message: "cannot use the request id r1: it is that of freeze shop/web",
    });
    expect(house.journal()).toEqual([]);
    expect((await states(daemon))["shop/web"]).toBe("frozen");
  });

  it("gets the failure again of what has failed", async () => {
    const { house, daemon } = await open();
    const ask = () => daemon.rollBack(shop, monday, "r1", silent, forever());
    await expect(ask()).rejects.toMatchObject({ code: "SNAPSHOT_NOT_FOUND" });
    await daemon.snapshot(shop, monday, house.request(), forever());
    await expect(ask()).rejects.toMatchObject({ code: "SNAPSHOT_NOT_FOUND" });
  });
});

describe("bad input", () => {
  it("is an operation nobody knows", async () => {
    const { daemon } = await open();
    for (const ask of [() => daemon.operation("r9"), () => daemon.cancel("r9", "me")])
      expect(ask).toThrow(
        expect.objectContaining({
          code: "OPERATION_NOT_FOUND",
          hint: "henge operations lists those that are known",
        }),
      );
  });

  it("is a cancel of what has ended", async () => {
    const { daemon } = await open();
    await daemon.restart({ cell: shop }, "r1", silent, forever());
    expect(() => daemon.cancel("r1", "me")).toThrow("cannot cancel operation r1: it is done");
    expect(operation(daemon, "r1").state).toBe("done");
  });

  it.each([
    ["cut", (text: string) => text.slice(0, text.length / 2), "it is not whole"],
    ["empty", () => "", "it is not whole"],
    ["changed", (text: string) => text.replace("restart", "down   "), "its checksum"],
    ["of a newer version", (text: string) => text.replace('"format":1', '"format":9'), "format"],
  ])("is a record that is %s: said by name, and nothing is done", async (_how, spoil, why) => {
    const { house, daemon } = await open();
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

describe("an up that could not be reached", () => {
  /** A cell with a tmpfs on /bad cannot be allocated. */
  function refusing(house: House): WardenPort {
    const wardens = createFakeWardens(house.world);
    return {
      ...wardens,
      allocate: (order, signal) =>
        order.boundary.tmpfs.some(({ path }) => path === "/bad")
          ? Promise.reject(new HengeError("KERNEL_REFUSED", "cannot mount /extra: there is none"))
          : wardens.allocate(order, signal),
    };
  }
  const BAD = SHOP.replace("  web:\n", "  web:\n    tmpfs: [/bad]\n");

  it("leaves what ran before, which is what the next daemon brings up, and is shown", async () => {
    const house = await House.build();
    const daemon = await house.daemon({ wardens: refusing(house) });
    await house.up(daemon, SHOP);
    await expect(house.up(daemon, BAD, { requestId: "r1" })).rejects.toMatchObject({
      message: "cannot up shop: cannot mount /extra: there is none; it is back on what ran before",
    });
    expect((await states(daemon))["shop/web:web"]).toBe("running");
    expect(await house.plan(daemon, SHOP)).toEqual([]);
    expect((await daemon.get(shop)).notReached).toContain("cannot mount /extra");
    await daemon.halt(house.request(), silent, forever());
    await daemon.resume(house.request());
    await settle(async () => (await states(daemon))["shop/web:web"] === "running");
    await house.up(daemon, SHOP);
    expect((await daemon.get(shop)).notReached).toBeUndefined();
  });

  it("leaves nothing where nothing ran before, and a down takes it back", async () => {
    const house = await House.build();
    const daemon = await house.daemon({ wardens: refusing(house) });
    await expect(house.up(daemon, BAD)).rejects.toThrow("; nothing of it runs");
    expect(house.world.cells.size).toBe(0);
    expect(await house.cgroups.list()).toEqual([]);
    expect((await daemon.list()).map(({ name, notReached = "" }) => [name, notReached])).toEqual([
      ["shop", expect.stringContaining("cannot mount /extra")],
    ]);
    await daemon.free(shop, { destroyData: true, requestId: house.request() }, silent, forever());
    expect(await daemon.list()).toEqual([]);
  });
});

describe("an up that waits", () => {
  async function waiting(timeoutMs?: number) {
    const house = await House.build();
    const daemon = await house.daemon();
    const ended = daemon.change({
      ...{ id: "r1", caller: "a test", report: silent, signal: new AbortController().signal },
      request: { verb: "up", source: source(WAITING), allowMissingControllers: false },
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
    const failure = ended.then(
      () => undefined,
      (error: unknown) => error,
    );
    await settle(() => house.world.pidOf("shop/web", "web") !== undefined);
    return { house, daemon, failure };
  }

  it("gives way to a down", async () => {
    const { house, daemon, failure } = await waiting();
    await daemon.free(shop, { destroyData: false, requestId: "r2" }, silent, forever());
    expect(await failure).toMatchObject({ code: "CANCELLED" });
    expect(operation(daemon, "r1")).toMatchObject({ state: "cancelled" });
    expect(house.world.cells.size).toBe(0);
    expect(await daemon.list()).toEqual([]);
  });

  it("is cancelled between two steps, and says what it left", async () => {
    const { daemon, failure } = await waiting();
    daemon.cancel("r1", "alice");
    expect(await failure).toMatchObject({
      code: "CANCELLED",
      message: expect.stringMatching(
        /^up shop was cancelled by alice: \d+ of \d+ steps were done; not done: await shop\/web:web/,
      ) as string,
    });
  });

  it("ends when its time is over", async () => {
    const { house, daemon, failure } = await waiting(60_000);
    house.clock.advance(60_000);
    expect(await failure).toMatchObject({ code: "DEADLINE" });
    expect(operation(daemon, "r1").error?.message).toMatch(
      "took longer than the 60 s it was given",
    );
  });

  it("goes on when its client leaves, and another follows it to its end", async () => {
    const { house, daemon } = await waiting();
    const leaving = new AbortController();
    const heard: Progress[] = [];
    const left = daemon.follow("r1", silent, leaving.signal);
    leaving.abort();
    await left;
    const followed = daemon.follow("r1", (progress) => heard.push(progress), forever());
    house.world.ready("shop/web", "web");
    await followed;
    expect(heard.map(({ kind }) => kind).slice(0, 2)).toEqual(["operation", "plan"]);
    expect(operation(daemon, "r1").state).toBe("done");
  });
});

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
    const { house, daemon } = await open();
    const next = await killAt(house, daemon, step, (report) =>
      daemon.free(shop, { destroyData: true, requestId: "r1" }, report, forever()),
    );
    expect(operation(next, "r1")).toMatchObject({ state: "done" });
    expect(await next.list()).toEqual([]);
    expect(house.world.cells.size).toBe(0);
    expect(await house.cgroups.list()).toEqual([]);
    expect(await house.driver.volumes.listMonoliths()).toEqual([]);
  });

  it.each([1, 2, 3])("in an up of a change, at step %i: the next one ends it", async (step) => {
    const { house, daemon } = await open();
    const changed = SHOP.replace("[/bin/web]", "[/bin/web, --fast]").replace("512MiB", "1GiB");
    const next = await killAt(house, daemon, step, (report) =>
      daemon.apply(source(changed), options("r1"), report, forever()),
    );
    expect(operation(next, "r1")).toMatchObject({ state: "done" });
    expect(await house.plan(next, changed)).toEqual([]);
  });

  it("in a clone that is not desired yet: nothing of it is left, and it can be asked again", async () => {
    const { house, daemon } = await open();
    await daemon.snapshot(shop, monday, house.request(), forever());
    const copy = { cell: shop, snapshot: monday, name: "copy" as MonolithName, publish: [] };
    const next = await killAt(house, daemon, 1, (report) =>
      daemon.clone(copy, "r1", report, forever()),
    );
    expect(operation(next, "r1")).toMatchObject({ state: "failed" });
    expect(operation(next, "r1").error?.message).toContain("nothing of copy is left");
    expect(await house.driver.volumes.listMonoliths()).toEqual(["shop"]);
    await next.clone(copy, house.request(), silent, forever());
    expect((await states(next))["copy/web:web"]).toBe("running");
  });

  it("in a restart: the next one restarts what it had not come to, and only that", async () => {
    const { house, daemon } = await open();
    const web = () => house.world.pidOf("shop/web", "web");
    const before = web();
    const next = await killAt(house, daemon, 2, (report) =>
      daemon.restart({ cell: cell("shop/web"), unit: "web" as UnitName }, "r1", report, forever()),
    );
    expect(operation(next, "r1")).toMatchObject({ state: "done" });
    expect(web()).not.toBe(before);
    expect(house.journal()).toEqual(["stop shop/web:web", "start shop/web:web"]);
  });
});
