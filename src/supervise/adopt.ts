// The life of a unit that outlived the daemon: taken up from what its warden says, never restarted for it.

import type { ExitStatus, UnitSpec } from "../spec/index.js";

import { takeOver } from "./handover.js";
import { newLife, same } from "./life.js";
import type { Transition, UnitLife } from "./life.js";
import { afterExit } from "./restart.js";
import { becomeReady, beginStarting } from "./starting.js";

/** What a warden tells of one run. */
interface AdoptedRun {
  readonly spec: UnitSpec;
  readonly running: boolean;
  readonly stopping: boolean;
  /** READY=1 was received in this run. */
  readonly notified: boolean;
  /** How long ago its process was started; absent when nobody knows. */
  readonly ranForMs?: number;
}

/** What a warden tells of one unit. */
export interface AdoptedUnit extends AdoptedRun {
  /** It was seen to be ready in this run. */
  readonly wasReady: boolean;
  /** Its cell is frozen: it cannot be asked. */
  readonly isFrozen?: boolean;
  /** A run beside it, younger. */
  readonly successor?: AdoptedRun;
  /** That the run was started with. */
  readonly restarts: number;
  /** Of its last run, when it has ended. */
  readonly exit?: ExitStatus;
}

/**
 * Takes up a unit where it is: a running one is probed anew unless it is frozen, one that ended unseen follows its policy
 * once.
 * @param wanted whether it should run: false when an operator has stopped it
 */
export function adoptedLife(unit: AdoptedUnit, wanted: boolean, nowMs: number): Transition {
  const life: UnitLife = { ...newLife(unit.spec), wanted, restarts: unit.restarts };
  if (unit.successor !== undefined) return adoptBoth(life, unit, unit.successor, nowMs);
  if (unit.running && unit.stopping) return adoptStopping(life);
  if (unit.running) return adoptRunning(life, unit, nowMs);
  if (unit.exit === undefined) return { state: life, effects: [] };
  return adoptEnded(life, unit.exit, nowMs);
}

// Nobody knows any more whether it was for a restart; when it is wanted, its end is treated as one.
function adoptStopping(life: UnitLife): Transition {
  const failure = life.wanted ? { failure: "was being stopped when the daemon started" } : {};
  return { state: { ...life, phase: { kind: "stopping", ...failure } }, effects: [] };
}

function adoptRunning(life: UnitLife, unit: AdoptedUnit, nowMs: number): Transition {
  const running = { ...life, wanted: true };
  if (unit.notified && unit.spec.readiness.kind === "notify" && !unit.spec.oneShot) {
    return becomeReady(running, nowMs);
  }
  if (unit.isFrozen === true && unit.wasReady) return becomeReady(running, nowMs);
  const deadlineMs = nowMs - (unit.ranForMs ?? 0) + unit.spec.startTimeoutMs;
  if (unit.spec.oneShot || (deadlineMs > nowMs && !unit.wasReady))
    return beginStarting(running, deadlineMs, nowMs);
  return beginStarting(running, undefined, nowMs);
}

function adoptEnded(life: UnitLife, exit: ExitStatus, nowMs: number): Transition {
  const ended = afterExit(life, exit, nowMs);
  if (life.wanted || ended.state.phase.kind === "done") return ended;
  return { state: life, effects: [] };
}

/** A hand-over goes on where it is. The older run was ready when it began. */
function adoptBoth(
  life: UnitLife,
  { stopping }: AdoptedRun,
  next: AdoptedRun,
  nowMs: number,
): Transition {
  const first = stopping ? adoptStopping(life) : becomeReady({ ...life, wanted: true }, nowMs);
  if (next.stopping) {
    const reason = "was being ended when the daemon started";
    return same({ ...first.state, beside: { kind: "failed", reason } }, first.effects);
  }
  if (next.notified) return takeOver(first.state, next.spec, nowMs);
  const deadlineMs = nowMs - (next.ranForMs ?? 0) + next.spec.startTimeoutMs;
  return same({ ...first.state, beside: { kind: "starting", spec: next.spec, deadlineMs } }, [
    ...first.effects,
    { kind: "arm-timer", atMs: deadlineMs },
  ]);
}
