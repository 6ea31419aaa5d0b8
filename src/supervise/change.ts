// A spec that changes while its unit lives, in what only its supervisor uses: times, probes, the restart policy. What runs
// is not touched. Which changes these are is not decided here.

import type { UnitSpec } from "../spec/index.js";

import { CLEAR, same, to } from "./life.js";
import type { Phase, Transition, UnitLife } from "./life.js";
import { beginStarting, probesWhileReady } from "./starting.js";

/** What is under way ends as it was begun, but for probes: a pause before a start, and its start's answer. */
export function changeSpec(life: UnitLife, spec: UnitSpec, nowMs: number): Transition {
  const changed = { ...life, spec };
  switch (life.phase.kind) {
    case "starting":
      return changeStarting(changed, life.phase, life.spec, nowMs);
    case "running":
      return changeRunning(changed, life.phase, life.spec);
    case "stopped":
    case "launching":
    case "stopping":
    case "waiting":
    case "done":
    case "failed":
      return same(changed);
  }
}

/** Asked anew at once; the time it may take is counted from its start, as before. */
function changeStarting(
  life: UnitLife,
  { deadlineMs, reason }: Phase & { kind: "starting" },
  before: UnitSpec,
  nowMs: number,
): Transition {
  const { spec } = life;
  const deadline =
    deadlineMs === undefined
      ? undefined
      : Math.max(nowMs, deadlineMs - before.startTimeoutMs + spec.startTimeoutMs);
  const { state, effects } = beginStarting(life, deadline, nowMs);
  // What the last probe saw still holds where it is the same probe.
  const told = reason !== undefined && isSame(before.readiness, spec.readiness);
  const { phase } = state;
  return to(state, phase.kind === "starting" && told ? { ...phase, reason } : phase, [
    ...CLEAR,
    ...effects,
  ]);
}

/** Probes that are the same go on as they are, with what they have counted. */
function changeRunning(
  life: UnitLife,
  { doubt, ...well }: Phase & { kind: "running" },
  before: UnitSpec,
): Transition {
  const { spec } = life;
  const sameHealth = isSame(before.health, spec.health);
  const phase = sameHealth && doubt !== undefined ? { ...well, doubt } : well;
  if (sameHealth && isSame(before.liveness, spec.liveness)) return to(life, phase);
  return to(life, phase, [{ kind: "end-probes" }, ...probesWhileReady(spec)]);
}

function isSame(before: unknown, after: unknown): boolean {
  return JSON.stringify(before) === JSON.stringify(after);
}
