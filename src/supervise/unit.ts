// One unit's life as a table: what happened to it and when → what it is now and what is to be done.

import type { UnitSpec } from "../spec/index.js";

import { changeSpec } from "./change.js";
import { advanceBoth, beginHandOver } from "./handover.js";
import { onHealth } from "./health.js";
import { freshStart, onDependencies } from "./lapse.js";
import { CLEAR, same, to } from "./life.js";
import type { Transition, UnitEffect, UnitEvent, UnitLife } from "./life.js";
import { afterExit, afterFailure, forgiven } from "./restart.js";
import { becomeReady, beginStarting, timeoutReason } from "./starting.js";
import { lifeToState } from "./state.js";

/** The one transition of a unit's life. An event that cannot happen in a phase is late, and changes nothing. */
export function advance(life: UnitLife, event: UnitEvent, nowMs: number): Transition {
  const { state, effects } =
    life.beside === undefined
      ? react(life, event, nowMs)
      : advanceBoth(life, life.beside, event, nowMs);
  return { state, effects: [...effects, ...reports(life, state)] };
}

function react(life: UnitLife, event: UnitEvent, nowMs: number): Transition {
  switch (event.kind) {
    case "start-requested":
      return onStartRequested(life, event.spec);
    case "spec-changed":
      return changeSpec(life, event.spec, nowMs);
    case "hand-over-requested":
      return beginHandOver(life, event.spec);
    case "started":
      return onStarted(life, nowMs);
    case "start-failed":
      return onStartFailed(life, event.reason, nowMs);
    case "ready":
      return onReady(life, nowMs);
    case "probe-failed":
      return onProbeFailed(life, event.reason, nowMs);
    case "liveness-failed":
      return onLivenessFailed(life, event.reason, nowMs);
    case "unhealthy":
      return onHealth(life, event.reason);
    case "healthy":
      return onHealth(life, undefined);
    case "dependencies":
      return onDependencies(life, event, nowMs);
    case "exited":
      return onExited(life, event, nowMs);
    case "stop-requested":
      return onStopRequested(life);
    case "timer":
      return onTimer(life, nowMs);
    // Of a run that is no longer beside another.
    case "beside-ready":
    case "beside-exited":
      return same(life);
  }
}

function onStartRequested(life: UnitLife, spec: UnitSpec): Transition {
  switch (life.phase.kind) {
    case "stopped":
    case "done":
    case "failed":
      return launch({ ...life, spec, wanted: true, failures: 0 });
    case "waiting":
      return launch({ ...life, spec, wanted: true, failures: 0 }, [{ kind: "disarm" }]);
    case "stopping":
      return same({ ...life, spec, wanted: true });
    case "launching":
    case "starting":
    case "running":
      return same({ ...life, wanted: true });
  }
}

function onStarted(life: UnitLife, nowMs: number): Transition {
  if (life.phase.kind !== "launching") return same(life);
  if (!life.wanted) return to(life, { kind: "stopping" }, [{ kind: "stop" }]);
  const starting = beginStarting(life, nowMs + life.spec.startTimeoutMs, nowMs);
  if (life.phase.notified !== true) return starting;
  return preceded(starting.effects, onReady(starting.state, nowMs));
}

function becomeDegraded(life: UnitLife, doubt: string, nowMs: number): Transition {
  const { state, effects } = becomeReady(life, nowMs);
  return { state: onHealth(state, doubt).state, effects };
}

function onStartFailed(life: UnitLife, reason: string, nowMs: number): Transition {
  if (life.phase.kind !== "launching") return same(life);
  return life.wanted ? afterFailure(life, reason, nowMs) : to(life, { kind: "stopped" });
}

function onReady(life: UnitLife, nowMs: number): Transition {
  if (life.phase.kind === "launching") return to(life, { kind: "launching", notified: true });
  // A one-shot is done when it has ended; READY=1 from it means nothing.
  if (life.phase.kind !== "starting" || life.spec.oneShot) return same(life);
  const ready = becomeReady(life, nowMs);
  return { ...ready, effects: [{ kind: "disarm" }, { kind: "end-probes" }, ...ready.effects] };
}

function onProbeFailed(life: UnitLife, reason: string, nowMs: number): Transition {
  const { phase, spec } = life;
  if (phase.kind !== "starting") return same(life);
  // Adopted, so it was ready before, most likely: it is not as it was.
  if (phase.deadlineMs === undefined && spec.health !== undefined)
    return preceded(CLEAR, becomeDegraded(life, reason, nowMs));
  return to(life, { ...phase, reason });
}

function onLivenessFailed(life: UnitLife, reason: string, nowMs: number): Transition {
  if (life.phase.kind !== "running" && life.phase.kind !== "starting") return same(life);
  return stopFor(forgiven(life, nowMs), `not alive: ${reason}`);
}

function onExited(
  life: UnitLife,
  event: UnitEvent & { kind: "exited" },
  nowMs: number,
): Transition {
  const { phase } = life;
  switch (phase.kind) {
    case "stopping":
      if (!life.wanted) return to(life, { kind: "stopped" });
      return phase.failure === undefined ? launch(life) : afterFailure(life, phase.failure, nowMs);
    case "starting":
    case "running":
      return preceded(CLEAR, afterExit(life, event.exit, nowMs));
    // A short life: its end overtook the answer to the start.
    case "launching":
      return life.wanted ? afterExit(life, event.exit, nowMs) : to(life, { kind: "stopped" });
    case "stopped":
    case "waiting":
    case "done":
    case "failed":
      return same(life);
  }
}

function onStopRequested(life: UnitLife): Transition {
  const unwanted = { ...life, wanted: false };
  switch (life.phase.kind) {
    case "starting":
    case "running":
      return to(unwanted, { kind: "stopping" }, [...CLEAR, { kind: "stop" }]);
    case "waiting":
      return to(unwanted, { kind: "stopped" }, [{ kind: "disarm" }]);
    case "stopping":
      return to(unwanted, { kind: "stopping" });
    case "failed":
      return to(unwanted, { kind: "stopped" });
    // The warden is starting it: stopped as soon as it answers.
    case "launching":
    case "stopped":
    // What a one-shot has done stays done.
    case "done":
      return same(unwanted);
  }
}

function onTimer(life: UnitLife, nowMs: number): Transition {
  const { phase } = life;
  if (phase.kind === "waiting") {
    // A timer may fire early by its clock's grain; it is armed again rather than trusted.
    if (nowMs < phase.untilMs) return same(life, [{ kind: "arm-timer", atMs: phase.untilMs }]);
    return launch({ ...life, restarts: life.restarts + 1 });
  }
  if (phase.kind !== "starting" || phase.deadlineMs === undefined) return same(life);
  if (nowMs < phase.deadlineMs) return same(life, [{ kind: "arm-timer", atMs: phase.deadlineMs }]);
  return stopFor(life, timeoutReason(life.spec, phase.reason));
}

function stopFor(life: UnitLife, failure: string): Transition {
  return to(life, { kind: "stopping", failure }, [...CLEAR, { kind: "stop" }]);
}

function launch(life: UnitLife, before: readonly UnitEffect[] = []): Transition {
  return to(freshStart(life), { kind: "launching" }, [
    ...before,
    { kind: "start", spec: life.spec },
  ]);
}

function preceded(before: readonly UnitEffect[], { state, effects }: Transition): Transition {
  return { state, effects: [...before, ...effects] };
}

function reports(before: UnitLife, after: UnitLife): readonly UnitEffect[] {
  const was = lifeToState(before);
  const { state, reason } = lifeToState(after);
  if (state === was.state && reason === was.reason) return [];
  return [{ kind: "report", state, ...(reason === undefined ? {} : { reason }) }];
}
