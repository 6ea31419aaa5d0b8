import fc from "fast-check";
import { expect, it } from "vitest";

import { adoptedLife, advance, lifeToState, newLife } from "../../../src/supervise/index.js";
import type { UnitEffect, UnitEvent, UnitLife } from "../../../src/supervise/index.js";
import { unit } from "../../fixture/index.js";

const spec = unit("web", {
  readiness: { kind: "notify" },
  handover: true,
  startTimeoutMs: 50,
  restart: {
    policy: "always",
    backoffMinMs: 1,
    backoffMaxMs: 10,
    resetAfterMs: 10,
    crashLoopAfter: 3,
  },
});

interface Run {
  readonly pid: number;
  readonly bornMs: number;
  stopping: boolean;
  notified: boolean;
}

type Move =
  | { readonly kind: "start" | "stop" | "hand-over" | "kill-daemon" | "liveness" }
  | { readonly kind: "answer"; readonly ok: boolean }
  | { readonly kind: "ready" | "exit"; readonly which: number }
  | { readonly kind: "time"; readonly ms: number };

/** A warden with its runs, a clock, and a daemon that may be killed and come back at any time. */
class World {
  life: UnitLife = newLife(spec);
  readonly runs: Run[] = [];
  private nowMs = 0;
  private timerAtMs: number | undefined;
  private asked: "start" | "start-beside" | undefined;
  private inCharge: number | undefined;
  private beside: number | undefined;
  private wanted = false;
  private lastPid = 0;

  play(move: Move): void {
    switch (move.kind) {
      case "start":
        this.wanted = true;
        {
          this.tell({ kind: "start-requested", spec });
          return;
        }
      case "stop":
        this.wanted = false;
        {
          this.tell({ kind: "stop-requested" });
          return;
        }
      case "hand-over": {
        this.tell({ kind: "hand-over-requested", spec });
        return;
      }
      case "liveness": {
        this.tell({ kind: "liveness-failed", reason: "no" });
        return;
      }
      case "answer": {
        this.answer(move.ok);
        return;
      }
      case "ready": {
        this.ready(this.runs[move.which]);
        return;
      }
      case "exit": {
        this.end(this.runs[move.which]);
        return;
      }
      case "time": {
        this.pass(move.ms);
        return;
      }
      case "kill-daemon": {
        this.adopt();
        return;
      }
    }
  }

  /** All that is still to come by itself: answers, ends of what is being stopped, timers. */
  settle(): void {
    for (let round = 0; round < 10; round += 1) {
      this.answer(true);
      for (const run of this.runs.filter(({ stopping }) => stopping)) this.end(run);
      for (const run of [...this.runs]) this.ready(run);
      this.pass(100);
    }
  }

  private answer(ok: boolean): void {
    const { asked } = this;
    if (asked === undefined) return;
    this.asked = undefined;
    if (!ok) {
      this.tell({ kind: "start-failed", reason: "ENOENT" });
      return;
    }
    this.lastPid += 1;
    const pid = this.lastPid;
    this.runs.push({ pid, bornMs: this.nowMs, stopping: false, notified: false });
    expect(this.runs.length, "never three").toBeLessThanOrEqual(2);
    if (this.life.beside?.kind === "launching") this.beside = pid;
    else this.inCharge = pid;
    this.tell({ kind: "started", pid });
  }

  private ready(run: Run | undefined): void {
    if (run === undefined || run.notified) return;
    run.notified = true;
    this.tell({ kind: run.pid === this.beside ? "beside-ready" : "ready" });
  }

  private end(run: Run | undefined): void {
    if (run === undefined) return;
    this.runs.splice(this.runs.indexOf(run), 1);
    const exit = { code: 1, atMs: this.nowMs };
    if (run.pid === this.beside) {
      this.beside = undefined;
      this.tell({ kind: "beside-exited", exit });
    } else {
      this.inCharge = undefined;
      this.tell({ kind: "exited", exit });
    }
  }

  private pass(ms: number): void {
    this.nowMs += ms;
    if (this.timerAtMs === undefined || this.timerAtMs > this.nowMs) return;
    this.timerAtMs = undefined;
    this.tell({ kind: "timer" });
  }

  /** A start that was asked for and not answered is lost with who asked: the warden carried it out, or did not. */
  private adopt(): void {
    if (this.asked !== undefined || this.runs.length === 0) return;
    const [first, second] = this.runs.map(({ bornMs, ...run }) => ({
      ...{ ...run, running: true, spec },
      ranForMs: this.nowMs - bornMs,
    }));
    if (first === undefined) return;
    const adopted = {
      ...first,
      restarts: 1,
      wasReady: true,
      ...(second === undefined ? {} : { successor: second }),
    };
    this.timerAtMs = undefined;
    [this.inCharge, this.beside] = [first.pid, second?.pid];
    const { state, effects } = adoptedLife(adopted, this.wanted, this.nowMs);
    this.life = state;
    for (const effect of effects) this.carryOut(effect);
    this.check();
  }

  private tell(event: UnitEvent): void {
    const { state, effects } = advance(this.life, event, this.nowMs);
    this.life = state;
    for (const effect of effects) this.carryOut(effect);
    this.check();
  }

  private carryOut(effect: UnitEffect): void {
    switch (effect.kind) {
      case "start":
        expect(this.runs, "a start needs the end of every run").toEqual([]);
        this.asked = effect.kind;
        return;
      case "start-beside":
        expect(this.runs).toHaveLength(1);
        this.asked = effect.kind;
        return;
      case "stop":
        for (const run of this.runs) run.stopping = true;
        return;
      case "stop-run": {
        this.stopRun(effect.run === "beside" ? this.beside : this.inCharge);
        return;
      }
      case "swap":
        [this.inCharge, this.beside] = [this.beside, this.inCharge];
        return;
      case "arm-timer":
        this.timerAtMs = effect.atMs;
        return;
      case "disarm":
        this.timerAtMs = undefined;
        return;
      case "begin-readiness":
      case "begin-liveness":
      case "begin-health":
      case "end-probes":
      case "handed-over":
      case "report":
        return;
    }
  }

  private stopRun(pid: number | undefined): void {
    const run = this.runs.find((one) => one.pid === pid);
    if (run === undefined) return;
    run.stopping = true;
    const other = this.runs.find((one) => one !== run);
    const isAsked = this.life.phase.kind === "stopping" || other?.stopping === false;
    expect(isAsked, "one of two is stopped only while the other goes on").toBe(true);
  }

  private check(): void {
    const { state } = lifeToState(this.life);
    const { beside } = this.life;
    if (this.asked === undefined)
      expect(this.runs.length === 2, "two runs are known as two").toBe(beside !== undefined);
    if (beside?.kind === "starting") expect(this.timerAtMs).toBeDefined();
    if (["stopped", "failed", "backoff", "crashloop"].includes(state))
      expect(this.runs).toEqual([]);
    if (state === "running") {
      const run = this.runs.find(({ pid }) => pid === this.inCharge);
      expect(run, "the run in charge is there, ready and not being stopped").toMatchObject({
        stopping: false,
        notified: true,
      });
    }
  }
}

const moves: fc.Arbitrary<Move> = fc.oneof(
  fc.constantFrom<Move>({ kind: "start" }, { kind: "hand-over" }, { kind: "hand-over" }),
  fc.constantFrom<Move>({ kind: "stop" }, { kind: "kill-daemon" }, { kind: "liveness" }),
  fc.record({ kind: fc.constant("answer" as const), ok: fc.integer({ max: 4 }).map((n) => n > 0) }),
  fc.record({
    kind: fc.constantFrom("ready" as const, "ready" as const, "exit" as const),
    which: fc.integer({ min: 0, max: 1 }),
  }),
  fc.record({ kind: fc.constant("time" as const), ms: fc.integer({ min: 0, max: 60 }) }),
);

const UP: readonly Move[] = [
  { kind: "start" },
  { kind: "answer", ok: true },
  { kind: "ready", which: 0 },
];

it("a unit that hands over has never three runs, none while one could serve, and one in the end", () => {
  fc.assert(
    fc.property(fc.array(moves, { maxLength: 40 }), (happened) => {
      const world = new World();
      for (const move of [...UP, ...happened]) world.play(move);
      world.play({ kind: "start" });
      world.settle();
      world.play({ kind: "start" });
      world.settle();
      expect(lifeToState(world.life)).toMatchObject({ state: "running", ready: true });
      expect(world.runs).toHaveLength(1);
      world.play({ kind: "stop" });
      world.settle();
      expect(lifeToState(world.life).state).toBe("stopped");
      expect(world.runs).toEqual([]);
    }),
    { numRuns: 2_000 },
  );
});
