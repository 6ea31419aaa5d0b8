// What a unit starts after was not up for a while: what ends meanwhile, or soon after, did not fail by itself. It is no
// step towards a crash loop, and the unit starts again when the lapse is over.

import type { Lapse, Transition, UnitLife } from "./life.js";

/**
 * A unit may die of a lapse before anybody has seen the lapse begin, and some seconds after it is over: Rails without its
 * database needs three to give up.
 */
const GRACE_MS = 5_000;

/** e.g. `exit 1 while shop/db:postgres is not up`. */
export function inLapse(reason: string, lapse: Lapse | undefined): string {
  return lapse === undefined || lapse.over !== undefined
    ? reason
    : `${reason} while ${lapse.of} is not up`;
}

/** It ended; undefined when that is its own failure. */
export function endInLapse(life: UnitLife, reason: string, nowMs: number): Transition | undefined {
  const { lapse, spec } = life;
  if (lapse === undefined || spec.restart.policy === "never") return undefined;
  if (lapse.over === undefined) return awaitUnit(life, inLapse(reason, lapse), nowMs);
  if (nowMs - lapse.over.sinceMs >= GRACE_MS) return undefined;
  const why = `${reason} soon after ${lapse.of} was not up`;
  return wait(life, why, nowMs, nowMs + spec.restart.backoffMinMs + lapse.over.pauseMs);
}

export function onDependencies(
  life: UnitLife,
  { missing, pauseMs }: { readonly missing?: string; readonly pauseMs: number },
  nowMs: number,
): Transition {
  if (missing !== undefined) return beginLapse({ ...life, lapse: { of: missing } }, nowMs);
  if (life.lapse === undefined) return { state: life, effects: [] };
  const over = { ...life, lapse: { of: life.lapse.of, over: { sinceMs: nowMs, pauseMs } } };
  // Also one in a crash loop: with what it needs up again, there is reason to hope.
  if (life.phase.kind !== "waiting") return { state: over, effects: [] };
  return wait(over, life.phase.reason, nowMs, nowMs + pauseMs);
}

// It has ended of this, most likely, a moment before: that failure is taken back.
function beginLapse(life: UnitLife, nowMs: number): Transition {
  const { phase, lapse } = life;
  if (phase.kind !== "waiting" || phase.forUnit === true || nowMs - phase.sinceMs >= GRACE_MS)
    return { state: life, effects: [] };
  const failures = Math.max(0, life.failures - 1);
  return awaitUnit({ ...life, failures }, inLapse(phase.reason, lapse), nowMs);
}

/** The same life, about to be started: what was over before is no excuse for what comes. */
export function freshStart(life: UnitLife): UnitLife {
  return life.lapse?.over === undefined ? life : { ...life, lapse: undefined };
}

// Tried again now and then all the same: who says that the other is not up may be wrong.
function awaitUnit(life: UnitLife, reason: string, nowMs: number): Transition {
  return wait(life, reason, nowMs, nowMs + life.spec.restart.backoffMaxMs);
}

function wait(life: UnitLife, reason: string, nowMs: number, untilMs: number): Transition {
  const phase = { kind: "waiting", sinceMs: nowMs, untilMs, reason, forUnit: true } as const;
  return { state: { ...life, phase }, effects: [{ kind: "arm-timer", atMs: untilMs }] };
}
