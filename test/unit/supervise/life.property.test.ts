import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { UnitSpec } from "../../../src/spec/index.js";
import { advance, lifeToState, newLife } from "../../../src/supervise/index.js";
import type { UnitEvent, UnitLife } from "../../../src/supervise/index.js";
import { unit } from "../../fixture/index.js";

const specs: fc.Arbitrary<UnitSpec> = fc
  .record({
    oneShot: fc.boolean(),
    readiness: fc.constantFrom<UnitSpec["readiness"]>(
      { kind: "none" },
      { kind: "notify" },
      { kind: "tcp", port: 1, timeoutMs: 1 },
    ),
    alive: fc.boolean(),
    startTimeoutMs: fc.integer({ min: 1, max: 50 }),
    policy: fc.constantFrom("always", "on-failure", "never"),
    backoffMinMs: fc.integer({ min: 1, max: 10 }),
    backoffMaxMs: fc.integer({ min: 10, max: 100 }),
    resetAfterMs: fc.integer({ min: 0, max: 100 }),
    crashLoopAfter: fc.integer({ min: 1, max: 4 }),
  })
  .map(({ oneShot, readiness, alive, startTimeoutMs, ...restart }) => {
    return withProbes(unit("web", { oneShot, readiness, restart }), alive, startTimeoutMs);
  });

function withProbes(spec: UnitSpec, alive: boolean, startTimeoutMs: number): UnitSpec {
  const { liveness: _, health: __, ...plain } = spec;
  const probe = { kind: "tcp", port: 1, timeoutMs: 1 } as const;
  const often = { probe, intervalMs: 1, failures: 1 };
  return { ...plain, startTimeoutMs, ...(alive ? { liveness: often, health: often } : {}) };
}

/** What a warden, a clock and a prober can do to a unit, and what it has made them do. */
class World {
  life: UnitLife;
  nowMs = 0;
  process: "none" | "launching" | "up" | "stopping" = "none";
  timerAtMs: number | undefined;
  probing = false;
  private spec: UnitSpec;

  constructor(spec: UnitSpec) {
    this.spec = spec;
    this.life = newLife(spec);
  }

  /** Plays one move; a move that cannot happen now is left out. */
  play(move: Move): void {
    const event = this.eventOf(move);
    if (event === undefined) return;
    const before = lifeToState(this.life);
    const { state, effects } = advance(this.life, event, this.nowMs);
    this.life = state;
    for (const effect of effects) this.apply(effect);
    const { state: after, reason } = lifeToState(state);
    const changed = before.state !== after || before.reason !== reason;
    expect(effects.filter(({ kind }) => kind === "report")).toHaveLength(changed ? 1 : 0);
    this.check();
  }

  private eventOf(move: Move): UnitEvent | undefined {
    switch (move.kind) {
      case "start-requested":
        return { kind: "start-requested", spec: this.spec };
      case "stop-requested":
        return { kind: "stop-requested" };
      case "spec-changed":
        this.spec = withProbes(this.spec, move.alive, move.startTimeoutMs);
        return { kind: "spec-changed", spec: this.spec };
      case "answer":
        if (this.process !== "launching") return undefined;
        this.process = move.ok ? "up" : "none";
        return move.ok ? { kind: "started", pid: 1 } : { kind: "start-failed", reason: "ENOENT" };
      case "exit":
        if (this.process !== "up" && this.process !== "stopping") return undefined;
        this.process = "none";
        return { kind: "exited", exit: { code: move.code, atMs: this.nowMs } };
      case "probe":
        if (!this.probing && move.result !== "ready") return undefined;
        if (this.process !== "up") return undefined;
        return move.result === "ready" || move.result === "healthy"
          ? { kind: move.result }
          : { kind: move.result, reason: "no" };
      case "dependencies":
        return { pauseMs: 10, ...move };
      case "time":
        this.nowMs += move.ms;
        if (this.timerAtMs === undefined || this.timerAtMs > this.nowMs) return undefined;
        this.timerAtMs = undefined;
        return { kind: "timer" };
    }
  }

  private apply(effect: ReturnType<typeof advance>["effects"][number]): void {
    switch (effect.kind) {
      case "start":
        expect(this.process, "a start needs the last run's end").toBe("none");
        this.process = "launching";
        return;
      case "stop":
        expect(this.process, "a stop needs a process, and comes once").toBe("up");
        this.process = "stopping";
        return;
      case "arm-timer":
        expect(effect.atMs).toBeGreaterThanOrEqual(this.nowMs);
        expect(effect.atMs - this.nowMs).toBeLessThanOrEqual(100);
        this.timerAtMs = effect.atMs;
        return;
      case "disarm":
        this.timerAtMs = undefined;
        return;
      case "begin-readiness":
      case "begin-liveness":
      case "begin-health":
        expect(this.process).toBe("up");
        this.probing = true;
        return;
      case "end-probes":
        this.probing = false;
        return;
      case "report":
        return;
      // None of them is for a unit that is never asked to hand over: see handover.property.test.ts.
      case "start-beside":
      case "stop-run":
      case "swap":
      case "handed-over":
        expect.fail(effect.kind);
    }
  }

  /** Nothing may wait for what will never come, and nothing may outlive its process. */
  private check(): void {
    const { state } = lifeToState(this.life);
    const timed = this.timerAtMs !== undefined;
    if (this.process !== "up") expect(this.probing, `${state} is not probed`).toBe(false);
    if (state === "backoff" || state === "crashloop") expect(timed).toBe(true);
    if (["stopped", "done", "failed"].includes(state)) {
      expect([this.process, timed]).toEqual(["none", false]);
    }
    if (state === "starting" && this.process === "up") expect(timed).toBe(true);
    if (state === "running" || state === "degraded")
      expect([this.process, timed]).toEqual(["up", false]);
    if (state === "stopping") expect(["launching", "stopping"]).toContain(this.process);
  }
}

const PROBE_RESULTS = ["ready", "probe-failed", "liveness-failed", "healthy", "unhealthy"] as const;
type ProbeResult = (typeof PROBE_RESULTS)[number];

type Move =
  | { readonly kind: "start-requested" | "stop-requested" }
  | { readonly kind: "answer"; readonly ok: boolean }
  | { readonly kind: "exit"; readonly code: number }
  | { readonly kind: "probe"; readonly result: ProbeResult }
  | { readonly kind: "dependencies"; readonly missing?: string }
  | { readonly kind: "spec-changed"; readonly alive: boolean; readonly startTimeoutMs: number }
  | { readonly kind: "time"; readonly ms: number };

const moves: fc.Arbitrary<Move> = fc.oneof(
  fc.constant<Move>({ kind: "start-requested" }),
  fc.constant<Move>({ kind: "stop-requested" }),
  fc.record({ kind: fc.constant("answer" as const), ok: fc.boolean() }),
  fc.record({ kind: fc.constant("exit" as const), code: fc.constantFrom(0, 1) }),
  fc.record({
    kind: fc.constant("probe" as const),
    result: fc.constantFrom(...PROBE_RESULTS),
  }),
  fc.constantFrom<Move>({ kind: "dependencies" }, { kind: "dependencies", missing: "shop:db" }),
  fc.record({
    kind: fc.constant("spec-changed" as const),
    alive: fc.boolean(),
    startTimeoutMs: fc.integer({ min: 1, max: 50 }),
  }),
  fc.record({ kind: fc.constant("time" as const), ms: fc.integer({ min: 0, max: 120 }) }),
);

describe("whatever happens to a unit", () => {
  it("never starts it twice without an end between, and never waits for nothing", () => {
    fc.assert(
      fc.property(specs, fc.array(moves, { maxLength: 40 }), (spec, happened) => {
        const world = new World(spec);
        for (const move of happened) world.play(move);
      }),
      { numRuns: 1_000 },
    );
  });

  it("a stop request ends in stopped, or in done when it had ended clean before", () => {
    fc.assert(
      fc.property(specs, fc.array(moves, { maxLength: 40 }), (spec, happened) => {
        const world = new World(spec);
        for (const move of happened) world.play(move);
        const { state: before } = lifeToState(world.life);
        world.play({ kind: "stop-requested" });
        world.play({ kind: "answer", ok: true });
        world.play({ kind: "exit", code: 0 });
        world.play({ kind: "time", ms: 1_000 });
        expect(lifeToState(world.life).state).toBe(before === "done" ? "done" : "stopped");
        expect(world.process).toBe("none");
      }),
      { numRuns: 1_000 },
    );
  });
});
