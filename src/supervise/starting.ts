// From a process that runs to a unit that is ready, or to the word that it was not in time.

import type { UnitSpec } from "../spec/index.js";

import { to } from "./life.js";
import type { Transition, UnitEffect, UnitLife } from "./life.js";

/** Its process runs; it must be ready (or, a one-shot, have ended) before the deadline, if there is one. */
export function beginStarting(
  life: UnitLife,
  deadlineMs: number | undefined,
  nowMs: number,
): Transition {
  const { oneShot, readiness } = life.spec;
  if (!oneShot && readiness.kind === "none") return becomeReady(life, nowMs);
  const deadline = deadlineMs === undefined ? {} : { deadlineMs };
  const effects: UnitEffect[] = [];
  if (deadlineMs !== undefined) effects.push({ kind: "arm-timer", atMs: deadlineMs });
  if (!oneShot && readiness.kind !== "notify") effects.push({ kind: "begin-readiness" });
  return to(life, { kind: "starting", ...deadline }, effects);
}

/** It is ready now, whatever was awaited. */
export function becomeReady(life: UnitLife, nowMs: number): Transition {
  const effects: UnitEffect[] = [];
  if (life.spec.liveness !== undefined) effects.push({ kind: "begin-liveness" });
  if (life.spec.health !== undefined) effects.push({ kind: "begin-health" });
  return to(life, { kind: "running", readySinceMs: nowMs }, effects);
}

/** @param last why the last probe failed */
export function timeoutReason({ oneShot, startTimeoutMs }: UnitSpec, last?: string): string {
  const what = oneShot ? "no end" : "not ready";
  return `${what} after ${String(startTimeoutMs / 1000)} s${last === undefined ? "" : `: ${last}`}`;
}
