import { describe, expect, it } from "vitest";

import { adoptedLife, advance, lifeToState } from "../../../src/supervise/index.js";
import type { AdoptedUnit } from "../../../src/supervise/index.js";
import { unit } from "../../fixture/index.js";

const NOW = 1_000_000;
const liveness = {
  probe: { kind: "tcp", port: 3000, timeoutMs: 1_000 },
  intervalMs: 10_000,
  failures: 3,
} as const;
const probed = unit("web", { readiness: { kind: "tcp", port: 3000, timeoutMs: 1_000 }, liveness });

function told(over: Partial<AdoptedUnit> = {}): AdoptedUnit {
  return {
    spec: probed,
    running: true,
    stopping: false,
    notified: false,
    wasReady: false,
    ranForMs: 3_600_000,
    restarts: 0,
    ...over,
  };
}

function kinds(unitTold: AdoptedUnit, wanted = true): readonly string[] {
  return adoptedLife(unitTold, wanted, NOW).effects.map(({ kind }) => kind);
}

describe("a unit that ran on while the daemon was away", () => {
  it("is probed anew and never restarted for a probe that fails now", () => {
    const { state } = adoptedLife(told(), true, NOW);
    expect(kinds(told())).toEqual(["begin-readiness", "begin-liveness"]);
    expect(lifeToState(state)).toMatchObject({ state: "starting", ready: false });
    const failed = advance(state, { kind: "probe-failed", reason: "refused" }, NOW + 600_000);
    expect(failed.effects.map(({ kind }) => kind)).toEqual(["report"]);
    expect(advance(failed.state, { kind: "timer" }, NOW + 600_000).effects).toEqual([]);
  });

  it("is stopped when it is still in its first start and is not ready in time", () => {
    const young = told({ ranForMs: 1_000 });
    const { state, effects } = adoptedLife(young, true, NOW);
    expect(effects[0]).toEqual({ kind: "arm-timer", atMs: NOW + 59_000 });
    const late = advance(state, { kind: "timer" }, NOW + 59_000);
    expect(late.effects).toContainEqual({ kind: "stop" });
  });

  it("is not taken for one in its first start when it was seen to be ready", () => {
    const young = told({ ranForMs: 1_000, wasReady: true });
    expect(kinds(young)).toEqual(["begin-readiness", "begin-liveness"]);
  });

  it("stays ready in a frozen cell, where nobody can answer; what was not yet is still to become so", () => {
    const frozen = told({ isFrozen: true, wasReady: true });
    expect(lifeToState(adoptedLife(frozen, true, NOW).state)).toMatchObject({ ready: true });
    expect(kinds(frozen)).toEqual(["begin-liveness"]);
    const unseen = told({ isFrozen: true });
    expect(lifeToState(adoptedLife(unseen, true, NOW).state)).toMatchObject({ ready: false });
  });

  it("is ready at once without a probe, or when it has notified", () => {
    const notify = unit("web", { readiness: { kind: "notify" } });
    for (const one of [told({ spec: unit() }), told({ spec: notify, notified: true })]) {
      expect(lifeToState(adoptedLife(one, true, NOW).state).state).toBe("running");
    }
  });

  it("keeps its count of restarts", () => {
    expect(lifeToState(adoptedLife(told({ restarts: 3 }), true, NOW).state).restarts).toBe(3);
  });

  it("as a one-shot keeps its deadline, and is stopped when that has passed", () => {
    const spec = unit("migrate", { oneShot: true });
    const { state, effects } = adoptedLife(told({ spec }), true, NOW);
    expect(effects).toEqual([{ kind: "arm-timer", atMs: NOW - 3_600_000 + 60_000 }]);
    expect(advance(state, { kind: "timer" }, NOW).effects).toContainEqual({ kind: "stop" });
  });

  it("while it is being stopped ends stopped, or starts again when it is wanted", () => {
    const stopping = told({ stopping: true });
    const exit = { kind: "exited", exit: { code: 0, atMs: NOW } } as const;
    const unwanted = advance(adoptedLife(stopping, false, NOW).state, exit, NOW);
    expect(lifeToState(unwanted.state).state).toBe("stopped");
    const wanted = advance(adoptedLife(stopping, true, NOW).state, exit, NOW);
    expect(lifeToState(wanted.state).state).toBe("backoff");
  });
});

describe("a unit that ended while the daemon was away", () => {
  const ended = told({ running: false, exit: { code: 1, atMs: NOW - 5 } });

  it("follows its restart policy once", () => {
    const { state, effects } = adoptedLife(ended, true, NOW);
    expect(lifeToState(state).state).toBe("backoff");
    expect(effects).toEqual([{ kind: "arm-timer", atMs: NOW + 1_000 }]);
    expect(state.failures).toBe(1);
  });

  it("is done when it is a one-shot that ended clean, wanted or not", () => {
    const spec = unit("migrate", { oneShot: true });
    const clean = { ...ended, spec, exit: { code: 0, atMs: NOW } };
    for (const wanted of [true, false]) {
      expect(lifeToState(adoptedLife(clean, wanted, NOW).state).state).toBe("done");
    }
  });

  it("is stopped when an operator has stopped it", () => {
    const { state, effects } = adoptedLife(ended, false, NOW);
    expect(lifeToState(state).state).toBe("stopped");
    expect(effects).toEqual([]);
  });

  it("is stopped when it was never started", () => {
    const { state } = adoptedLife(told({ running: false }), true, NOW);
    expect(lifeToState(state)).toEqual({ state: "stopped", ready: false, restarts: 0 });
  });
});
