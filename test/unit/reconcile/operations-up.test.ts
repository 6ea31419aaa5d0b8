// An up that does not come to its end by itself: it fails, waits, is cancelled, or loses its client.

import { describe, expect, it } from "vitest";

import { HengeError } from "../../../src/errors.js";
import type { Progress } from "../../../src/reconcile/control.js";
import type { WardenPort } from "../../../src/warden/port.js";
import { createFakeWardens } from "../../fake/warden.js";
import { House } from "../../fixture/house.js";
import { source } from "../../fixture/operations.js";
import { SHOP, cell, forever, settle, silent, states } from "../../fixture/shop.js";

const shop = cell("shop");
const WAITING = SHOP.replace("argv: [/bin/web]", "argv: [/bin/web], readiness: notify");

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
    expect(daemon.operation("r1")).toMatchObject({ state: "cancelled" });
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
    expect(daemon.operation("r1").error?.message).toMatch("took longer than the 60 s it was given");
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
    expect(daemon.operation("r1").state).toBe("done");
  });
});
