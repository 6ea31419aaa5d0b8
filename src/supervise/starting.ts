// From a process that runs to a unit that is ready, or to the word that it was not in time.

import type { UnitSpec } from "../spec/index.js";

import { to } from "./life.js";
import type { Transition, UnitEffect, UnitLife } from "./life.js";

/**
 * Its process runs; it must be ready (or, a one-shot, have ended) before the deadline. Without one it was ready before, or
 * most likely was: a probe that fails now is not a failed start, and liveness counts already.
 */
export function beginStarting(
  life: UnitLife,
  deadlineMs: number | undefined,
  nowMs: number,
): Transition {
  const { oneShot, readiness, liveness } = life.spec;
  if (!oneShot && readiness.kind === "none") return becomeReady(life, nowMs);
  const deadline = deadlineMs === undefined ? {} : { deadlineMs };
  const effects: UnitEffect[] = [];
  if (deadlineMs !== undefined) effects.push({ kind: "arm-timer", atMs: deadlineMs });
  if (!oneShot && readiness.kind !== "notify") effects.push({ kind: "begin-readiness" });
  if (deadlineMs === undefined && liveness !== undefined) effects.push({ kind: "begin-liveness" });
  return to(life, { kind: "starting", ...deadline }, effects);
}

/** It is ready now, whatever was awaited. */
export function becomeReady(life: UnitLife, nowMs: number): Transition {
  return to(life, { kind: "running", readySinceMs: nowMs }, probesWhileReady(life.spec));
}

export function probesWhileReady({ liveness, health }: UnitSpec): readonly UnitEffect[] {
  const effects: UnitEffect[] = [];
  if (liveness !== undefined) effects.push({ kind: "begin-liveness" });
  if (health !== undefined) effects.push({ kind: "begin-health" });
  return effects;
}

/** @param last why the last probe failed */
export function timeoutReason({ oneShot, startTimeoutMs }: UnitSpec, last?: string): string {
  const what = oneShot ? "no end" : "not ready";
  return `${what} after ${String(startTimeoutMs / 1000)} s${last === undefined ? "" : `: ${last}`}`;
}
