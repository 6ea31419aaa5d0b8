// The words of one unit's life: its phases, what happens to it, and what is to be done about it.

import type { ExitStatus, UnitSpec, UnitState } from "../spec/index.js";

export type Phase =
  | { readonly kind: "stopped" }
  /** The warden was asked to start it and has not answered yet; what it notifies may overtake the answer. */
  | { readonly kind: "launching"; readonly notified?: true }
  /** Runs, not ready yet; a one-shot stays here to its end. Without a deadline it may take for ever. */
  | { readonly kind: "starting"; readonly deadlineMs?: number; readonly reason?: string }
  /** `doubt`: what its health probe saw last, since too many in a row have failed. */
  | { readonly kind: "running"; readonly readySinceMs: number; readonly doubt?: string }
  /** `failure`: it is stopped for a fault of its own, and the restart policy decides what follows. */
  | { readonly kind: "stopping"; readonly failure?: string }
  /** Ended; started again at `untilMs`, or, `forUnit`, as soon as what it starts after is up. */
  | {
      readonly kind: "waiting";
      readonly sinceMs: number;
      readonly untilMs: number;
      readonly reason: string;
      readonly forUnit?: true;
    }
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly reason: string };

/** A second run, beside the one the phase is about: only while one hands over to the other. */
export type Beside =
  /** The warden was asked to start the next and has not answered yet. */
  | { readonly kind: "launching"; readonly spec: UnitSpec; readonly notified?: true }
  /** The next runs, and is not ready yet. */
  | { readonly kind: "starting"; readonly spec: UnitSpec; readonly deadlineMs: number }
  /** The next is being ended; the phase is that of the one before it, which goes on. */
  | { readonly kind: "failed"; readonly reason: string }
  /** The one before is being ended; the phase is that of the next, which is in charge. */
  | { readonly kind: "retiring" };

export interface UnitLife {
  /** As it was started last, or changed since, or is to be started next. */
  readonly spec: UnitSpec;
  readonly phase: Phase;
  /** Beside a phase of `running` or `stopping` only. */
  readonly beside?: Beside;
  /** Somebody asked for it to run, and nobody asked for it to stop since. */
  readonly wanted: boolean;
  /** Times it was started again by itself. */
  readonly restarts: number;
  /** Failures in a row; being ready for `resetAfterMs` ends the row. */
  readonly failures: number;
  /** See lapse.ts. */
  readonly lapse: Lapse | undefined;
}

/** A time in which something the unit starts after was not up. */
export interface Lapse {
  /** Which, e.g. `shop/db:postgres`. */
  readonly of: string;
  /** Since when all of it is up again, and how long this unit is to wait so that not all come at once. */
  readonly over?: { readonly sinceMs: number; readonly pauseMs: number };
}

export type UnitEvent =
  /** Its spec is ignored while it runs: what was started stays what it is. */
  | { readonly kind: "start-requested"; readonly spec: UnitSpec }
  /** A spec that the run there is could have been started with. Ignored while there are two runs. */
  | { readonly kind: "spec-changed"; readonly spec: UnitSpec }
  /** Ignored unless it runs, ready and alone. */
  | { readonly kind: "hand-over-requested"; readonly spec: UnitSpec }
  | { readonly kind: "started"; readonly pid: number }
  | { readonly kind: "start-failed"; readonly reason: string }
  /** Its readiness probe succeeded, or it notified READY=1. */
  | { readonly kind: "ready" }
  | { readonly kind: "probe-failed"; readonly reason: string }
  /** `liveness.failures` probes in a row have failed. */
  | { readonly kind: "liveness-failed"; readonly reason: string }
  /** `health.failures` probes in a row have failed. */
  | { readonly kind: "unhealthy"; readonly reason: string }
  | { readonly kind: "healthy" }
  /** `missing`: the first of the units it starts after that is not up; absent when all are. */
  | { readonly kind: "dependencies"; readonly missing?: string; readonly pauseMs: number }
  /** Its main process has ended, and all it left behind is gone. */
  | { readonly kind: "exited"; readonly exit: ExitStatus }
  /** Of the run beside the one in charge. */
  | { readonly kind: "beside-ready" }
  | { readonly kind: "beside-exited"; readonly exit: ExitStatus }
  | { readonly kind: "stop-requested" }
  | { readonly kind: "timer" };

export type UnitEffect =
  /** Answered by `started` or `start-failed`. */
  | { readonly kind: "start"; readonly spec: UnitSpec }
  /** Every run there is; answered by their ends. */
  | { readonly kind: "stop" }
  /** A second run, with the sockets of the first; answered by `started` or `start-failed`. */
  | { readonly kind: "start-beside"; readonly spec: UnitSpec }
  /** One of two; answered by its end. */
  | { readonly kind: "stop-run"; readonly run: "in-charge" | "beside" }
  /** The run beside is the one in charge from now on, and the other way round. */
  | { readonly kind: "swap" }
  /** One run is left of two, or none; `failure`: why the next did not take over. */
  | { readonly kind: "handed-over"; readonly failure?: string }
  /** Replaces the timer that is armed, if any. */
  | { readonly kind: "arm-timer"; readonly atMs: number }
  | { readonly kind: "disarm" }
  /** Probes every `readinessIntervalMs` until it succeeds once. */
  | { readonly kind: "begin-readiness" }
  /** Probes every `liveness.intervalMs`; begun already is begun. */
  | { readonly kind: "begin-liveness" }
  /** Probes every `health.intervalMs`. */
  | { readonly kind: "begin-health" }
  /** Ends every kind of probe. */
  | { readonly kind: "end-probes" }
  /** How it looks from now on; emitted once per change. */
  | { readonly kind: "report"; readonly state: UnitState; readonly reason?: string };

export interface Transition {
  readonly state: UnitLife;
  readonly effects: readonly UnitEffect[];
}

export function same(life: UnitLife, effects: readonly UnitEffect[] = []): Transition {
  return { state: life, effects };
}

export function to(life: UnitLife, phase: Phase, effects: readonly UnitEffect[] = []): Transition {
  return { state: { ...life, phase }, effects };
}

/** Both timers and probes belong to a process that runs; they end with it. */
export const CLEAR: readonly UnitEffect[] = [{ kind: "disarm" }, { kind: "end-probes" }];

/** A unit that was never started. */
export function newLife(spec: UnitSpec): UnitLife {
  return {
    spec,
    phase: { kind: "stopped" },
    wanted: false,
    restarts: 0,
    failures: 0,
    lapse: undefined,
  };
}
