// What follows when a unit has ended by itself: done, failed, or another start after a pause.

import type { ExitStatus, RestartSpec } from "../spec/index.js";

import { describeExit, isCleanExit } from "./exit.js";
import { endInLapse } from "./lapse.js";
import type { Transition, UnitLife } from "./life.js";

/** The pause before the start that follows the n-th failure in a row, n from 1; without jitter. */
function restartDelayMs(restart: RestartSpec, failures: number): number {
  if (failures >= restart.crashLoopAfter) return restart.backoffMaxMs;
  return Math.min(restart.backoffMinMs * 2 ** (failures - 1), restart.backoffMaxMs);
}

/** Its process ended though nobody asked it to. */
export function afterExit(life: UnitLife, exit: ExitStatus, nowMs: number): Transition {
  const clean = isCleanExit(life.spec, exit);
  if (life.spec.oneShot && clean) {
    return { state: { ...life, phase: { kind: "done" } }, effects: [] };
  }
  // A server that ends clean without being asked is as gone as one that crashed: it backs off too.
  const again = clean ? life.spec.restart.policy === "always" : undefined;
  return afterFailure(life, describeExit(exit), nowMs, again);
}

/** It failed, for this reason; its process is gone. */
export function afterFailure(
  life: UnitLife,
  reason: string,
  nowMs: number,
  again = life.spec.restart.policy !== "never",
): Transition {
  const excused = endInLapse(life, reason, nowMs);
  if (excused !== undefined) return excused;
  const failures = forgiven(life, nowMs).failures + 1;
  if (!again) {
    const { policy } = life.spec.restart;
    const failed = { kind: "failed", reason: `${reason}, restart ${policy}` } as const;
    return { state: { ...life, failures, phase: failed }, effects: [] };
  }
  const untilMs = nowMs + restartDelayMs(life.spec.restart, failures);
  const waiting = { kind: "waiting", sinceMs: nowMs, untilMs, reason } as const;
  return {
    state: { ...life, failures, phase: waiting },
    effects: [{ kind: "arm-timer", atMs: untilMs }],
  };
}

/** The same life; its failures are forgotten when it has been ready for long enough. */
export function forgiven(life: UnitLife, nowMs: number): UnitLife {
  const { phase, spec } = life;
  // Counted from ready, not from start: a unit that never gets ready would else never be in a crash loop.
  const lasted =
    phase.kind === "running" && nowMs - phase.readySinceMs >= spec.restart.resetAfterMs;
  return lasted ? { ...life, failures: 0 } : life;
}
