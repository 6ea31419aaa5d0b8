// A restart that hands over: the next run starts beside the one in charge, which ends only when the next is ready.
// Whatever happens, one of the two goes on. Pure, as the table of unit.ts that it is a part of.

import type { ExitStatus, UnitSpec } from "../spec/index.js";

import { describeExit } from "./exit.js";
import { onHealth } from "./health.js";
import { onDependencies } from "./lapse.js";
import { same, to } from "./life.js";
import type { Beside, Transition, UnitEffect, UnitEvent, UnitLife } from "./life.js";
import { forgiven } from "./restart.js";
import { becomeReady, timeoutReason } from "./starting.js";

const STOPPED = "stopped by operator";

export function beginHandOver(life: UnitLife, spec: UnitSpec): Transition {
  if (life.phase.kind !== "running") return same(life);
  const beside = { kind: "launching", spec } as const;
  return same({ ...life, wanted: true, beside }, [{ kind: "start-beside", spec }]);
}

/** What follows from an event while there are two runs. */
export function advanceBoth(
  life: UnitLife,
  beside: Beside,
  event: UnitEvent,
  nowMs: number,
): Transition {
  switch (event.kind) {
    case "started":
      return onStarted(life, beside, nowMs);
    case "start-failed":
      return beside.kind === "launching" ? alone(life, event.reason) : same(life);
    case "beside-ready":
      return onBesideReady(life, beside, nowMs);
    case "beside-exited":
      return onBesideExited(life, beside, event.exit);
    case "exited":
      return onExited(forgiven(life, nowMs), beside, event.exit);
    case "liveness-failed":
      return onLivenessFailed(forgiven(life, nowMs), event.reason);
    case "stop-requested":
      return onStopRequested(life, beside);
    case "timer":
      return onTimer(life, beside, nowMs);
    case "start-requested":
      return same({ ...life, wanted: true, ...(isStopping(life) ? { spec: event.spec } : {}) });
    case "unhealthy":
      return onHealth(life, event.reason);
    case "healthy":
      return onHealth(life, undefined);
    case "dependencies":
      return onDependencies(life, event, nowMs);
    // Of which of the two it is must be plain first.
    case "spec-changed":
    case "hand-over-requested":
    case "ready":
    case "probe-failed":
      return same(life);
  }
}

function onStarted(life: UnitLife, beside: Beside, nowMs: number): Transition {
  if (beside.kind !== "launching") return same(life);
  if (!life.wanted) return fail(life, STOPPED);
  if (beside.notified === true) return takeOver(life, beside.spec, nowMs);
  const deadlineMs = nowMs + beside.spec.startTimeoutMs;
  return same({ ...life, beside: { kind: "starting", spec: beside.spec, deadlineMs } }, [
    { kind: "arm-timer", atMs: deadlineMs },
  ]);
}

function onBesideReady(life: UnitLife, beside: Beside, nowMs: number): Transition {
  switch (beside.kind) {
    case "launching":
      return same({ ...life, beside: { ...beside, notified: true } });
    case "starting":
      return takeOver(life, beside.spec, nowMs);
    // Too late: its stop steps are under way.
    case "failed":
    case "retiring":
      return same(life);
  }
}

/** The next is ready and in charge; only now the one before it is asked to stop. */
export function takeOver(life: UnitLife, spec: UnitSpec, nowMs: number): Transition {
  const { state, effects } = becomeReady(
    { ...life, spec, wanted: true, beside: { kind: "retiring" } },
    nowMs,
  );
  return same(state, [
    { kind: "disarm" },
    { kind: "end-probes" },
    { kind: "swap" },
    ...effects,
    { kind: "stop-run", run: "beside" },
  ]);
}

function onTimer(life: UnitLife, beside: Beside, nowMs: number): Transition {
  if (beside.kind !== "starting") return same(life);
  const { deadlineMs, spec } = beside;
  if (nowMs < deadlineMs) return same(life, [{ kind: "arm-timer", atMs: deadlineMs }]);
  return fail(life, timeoutReason(spec));
}

function fail(life: UnitLife, reason: string): Transition {
  const beside = { kind: "failed", reason } as const;
  return same({ ...life, beside }, [{ kind: "stop-run", run: "beside" }]);
}

function onBesideExited(life: UnitLife, beside: Beside, exit: ExitStatus): Transition {
  switch (beside.kind) {
    case "launching":
      return alone(life, describeExit(exit));
    case "starting":
      return alone(life, describeExit(exit), [{ kind: "disarm" }]);
    case "failed":
      return alone(life, beside.reason);
    case "retiring":
      return alone(life);
  }
}

/** The one in charge has ended by itself, or as it was asked to: what is left of the unit is the other. */
function onExited(life: UnitLife, beside: Beside, exit: ExitStatus): Transition {
  const before: readonly UnitEffect[] = [{ kind: "end-probes" }, { kind: "swap" }];
  const { beside: _, ...rest } = life;
  switch (beside.kind) {
    case "launching": {
      const { spec, ...launching } = beside;
      return to({ ...rest, spec }, launching, [...before, { kind: "handed-over" }]);
    }
    case "starting": {
      const { spec, ...starting } = beside;
      return to({ ...rest, spec }, starting, [...before, { kind: "handed-over" }]);
    }
    case "failed":
    case "retiring": {
      const failure = beside.kind === "failed" ? { failure: beside.reason } : {};
      const gone = { kind: "stopping", failure: describeExit(exit) } as const;
      const phase = isStopping(life) ? life.phase : gone;
      return to(rest, phase, [...before, { kind: "handed-over", ...failure }]);
    }
  }
}

function onLivenessFailed(life: UnitLife, reason: string): Transition {
  if (isStopping(life)) return same(life);
  // The timer stays: it is that of the next.
  return to(life, { kind: "stopping", failure: `not alive: ${reason}` }, [
    { kind: "end-probes" },
    { kind: "stop-run", run: "in-charge" },
  ]);
}

function onStopRequested(life: UnitLife, beside: Beside): Transition {
  const ended: Beside = beside.kind === "starting" ? { kind: "failed", reason: STOPPED } : beside;
  return to({ ...life, wanted: false, beside: ended }, { kind: "stopping" }, [
    { kind: "disarm" },
    { kind: "end-probes" },
    { kind: "stop" },
  ]);
}

/** The run beside is gone. */
function alone(life: UnitLife, failure?: string, before: readonly UnitEffect[] = []): Transition {
  const { beside: _, ...rest } = life;
  const why = failure === undefined ? {} : { failure };
  return same(rest, [...before, { kind: "handed-over", ...why }]);
}

function isStopping({ phase }: UnitLife): boolean {
  return phase.kind === "stopping";
}
