import { describe, expect, it } from "vitest";

import { adoptedLife, advance, lifeToState } from "../../../src/supervise/index.js";
import type { UnitEvent } from "../../../src/supervise/index.js";
import { unit } from "../../fixture/index.js";
import { describeEffect, exited, play, ready, start, started } from "../../fixture/life.js";

const probe = { kind: "tcp", port: 3000, timeoutMs: 1_000 } as const;
const watched = unit("web", {
  readiness: probe,
  health: { probe, intervalMs: 15_000, failures: 2 },
});
const unhealthy: UnitEvent = { kind: "unhealthy", reason: "status 500" };
const healthy: UnitEvent = { kind: "healthy" };

describe("the health of a unit", () => {
  it("is asked from the moment it is ready", () => {
    expect(play(watched, start(watched), started, ready).does).toEqual([
      "disarm",
      "end-probes",
      "begin-health",
      "report running",
    ]);
  });

  it("shows it as degraded with what was seen, and does nothing else to it", () => {
    const { does, seen } = play(watched, start(watched), started, ready, unhealthy);
    expect(does).toEqual(["report degraded (status 500)"]);
    expect(seen).toEqual({ state: "degraded", ready: false, reason: "status 500", restarts: 0 });
  });

  it("is told once for each reason, and the first success makes it running again", () => {
    const down = [start(watched), started, ready, unhealthy] as const;
    expect(play(watched, ...down, unhealthy).does).toEqual([]);
    const { does, seen } = play(watched, ...down, healthy);
    expect(does).toEqual(["report running"]);
    expect(seen).toEqual({ state: "running", ready: true, restarts: 0 });
    expect(play(watched, ...down, healthy, healthy).does).toEqual([]);
  });

  it("means nothing when its process is not ready or has ended", () => {
    expect(play(watched, start(watched), started, unhealthy).does).toEqual([]);
    expect(play(watched, start(watched), started, ready, exited(), unhealthy).does).toEqual([]);
  });

  it("names what it starts after when that is not up", () => {
    const away: UnitEvent = { kind: "dependencies", missing: "shop/db:db", pauseMs: 0 };
    const back: UnitEvent = { kind: "dependencies", pauseMs: 0 };
    const down = [start(watched), started, ready, away, unhealthy] as const;
    expect(play(watched, ...down).does).toEqual([
      "report degraded (status 500 while shop/db:db is not up)",
    ]);
    expect(play(watched, ...down, back).does).toEqual(["report degraded (status 500)"]);
  });

  it("is in doubt when a new daemon finds the unit and its first probe fails", () => {
    const told = {
      ...{ spec: watched, running: true, stopping: false, notified: false, wasReady: true },
      ...{ ranForMs: 3_600_000, restarts: 0 },
    };
    const { state } = adoptedLife(told, true, 3_600_000);
    const failed = advance(state, { kind: "probe-failed", reason: "status 500" }, 3_600_000);
    expect(failed.effects.map(describeEffect)).toEqual([
      "disarm",
      "end-probes",
      "begin-health",
      "report degraded (status 500)",
    ]);
    expect(lifeToState(advance(failed.state, healthy, 3_600_001).state).state).toBe("running");
  });
});
