// Somebody sets the host's clock, by hand or by NTP, forward or back: nothing that waits waits longer or shorter.

import { describe, expect, it } from "vitest";

import { House } from "../../fixture/house.js";
import { cell, settle, states } from "../../fixture/shop.js";

const HOUR_MS = 3_600_000;
const SET = [
  ["back", -HOUR_MS],
  ["forward", HOUR_MS],
] as const;

const manifest = (unit: string): string => `
henge: 1
name: shop
root: host
cells:
  web:
    units:
      web: ${unit}
`;
const PLAIN = manifest("{ argv: [/bin/web] }");
// Its probes are never answered, its start never ends: a fake connection says nothing.
const NEVER_READY = manifest(
  "{ argv: [/bin/web], readiness: { http: { port: 3000 }, timeout: 1s }, start-timeout: 8s }",
);

/** Up to, and with, the last instant in which nothing may happen. */
async function passAlmost(house: House, ms: number): Promise<void> {
  for (let passedMs = 0; passedMs + 500 < ms; passedMs += 500) {
    house.clock.advance(500);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe.each(SET)("a clock that is set %s by an hour", (_way, byMs) => {
  it("changes no back-off", async () => {
    const house = await House.build();
    const daemon = await house.daemon();
    await house.up(daemon, PLAIN);
    house.world.end("shop/web", "web", { code: 1 });
    house.journal();
    house.clock.setWall(byMs);
    house.clock.advance(999);
    expect((await states(daemon))["shop/web:web"]).toBe("backoff");
    house.clock.advance(1);
    await settle(async () => (await states(daemon))["shop/web:web"] === "running");
    expect(house.journal()).toEqual(["start shop/web:web"]);
  });

  it("changes no start-timeout", async () => {
    const house = await House.build();
    const daemon = await house.daemon();
    house.up(daemon, NEVER_READY).catch(() => undefined);
    await settle(() => house.world.pidOf("shop/web", "web") !== undefined);
    await settle(async () => (await states(daemon))["shop/web:web"] === "starting");
    house.journal();
    house.clock.setWall(byMs);
    await passAlmost(house, 8_000);
    expect(house.journal()).toEqual([]);
    house.clock.advance(500);
    await settle(() => house.world.journal.includes("stop shop/web:web"));
    daemon.end();
  });

  it("changes no reset-after", async () => {
    const house = await House.build();
    const daemon = await house.daemon();
    await house.up(daemon, PLAIN);
    const fail = async (): Promise<void> => {
      await settle(async () => (await states(daemon))["shop/web:web"] === "running");
      house.world.end("shop/web", "web", { code: 1 });
    };
    await fail();
    house.clock.advance(1_000);
    house.clock.setWall(byMs);
    await fail();
    // The second failure in a row: two seconds, for it was not up for a minute between them.
    house.clock.advance(1_999);
    expect((await states(daemon))["shop/web:web"]).toBe("backoff");
    house.clock.advance(1);
    await settle(async () => (await states(daemon))["shop/web:web"] === "running");
    house.clock.advance(600_000);
    house.clock.setWall(byMs);
    await fail();
    house.clock.advance(1_000);
    await settle(async () => (await states(daemon))["shop/web:web"] === "running");
  });

  it("makes a unit that outlived the daemon no older and no younger", async () => {
    const house = await House.build();
    const daemon = await house.daemon();
    house.up(daemon, NEVER_READY).catch(() => undefined);
    await settle(async () => (await states(daemon))["shop/web:web"] === "starting");
    await passAlmost(house, 4_000);
    daemon.end();
    house.journal();
    house.clock.setWall(byMs);
    const next = await house.daemon();
    expect((await next.get(cell("shop/web"))).units[0]?.state).toBe("starting");
    await passAlmost(house, 4_500);
    expect(house.journal()).toEqual([]);
    house.clock.advance(500);
    await settle(() => house.world.journal.includes("stop shop/web:web"));
    next.end();
  });
});
