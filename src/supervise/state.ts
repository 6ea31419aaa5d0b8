// How a unit's life looks from outside, in the words of UnitState.

import type { UnitState } from "../spec/index.js";

import { inLapse } from "./lapse.js";
import type { Beside, UnitLife } from "./life.js";

export interface VisibleState {
  readonly state: UnitState;
  readonly ready: boolean;
  readonly reason?: string;
  readonly restarts: number;
}

/** Whether what starts after it can count on it now. */
export function isUp({ phase }: UnitLife): boolean {
  // Without a deadline it was adopted, and is as it was until a probe has told otherwise.
  if (phase.kind === "starting")
    return phase.deadlineMs === undefined && phase.reason === undefined;
  return phase.kind === "done" || (phase.kind === "running" && phase.doubt === undefined);
}

export function lifeToState(life: UnitLife): VisibleState {
  const reason = reasonOf(life);
  return {
    state: stateOf(life),
    ready: life.phase.kind === "running" && life.phase.doubt === undefined,
    ...(reason === undefined ? {} : { reason }),
    restarts: life.restarts,
  };
}

function stateOf({ phase, spec, failures, wanted }: UnitLife): UnitState {
  switch (phase.kind) {
    case "launching":
      return wanted ? "starting" : "stopping";
    case "waiting":
      return failures >= spec.restart.crashLoopAfter && phase.forUnit === undefined
        ? "crashloop"
        : "backoff";
    case "running":
      return phase.doubt === undefined ? "running" : "degraded";
    case "stopped":
    case "starting":
    case "stopping":
    case "done":
    case "failed":
      return phase.kind;
  }
}

function reasonOf({ phase, beside, lapse }: UnitLife): string | undefined {
  if (phase.kind === "running" && phase.doubt === undefined && beside !== undefined)
    return reasonBeside(beside);
  switch (phase.kind) {
    case "running":
      return phase.doubt === undefined ? undefined : inLapse(phase.doubt, lapse);
    case "starting":
    case "waiting":
    case "failed":
      return phase.reason;
    case "stopping":
      return phase.failure;
    case "stopped":
    case "launching":
    case "done":
      return undefined;
  }
}

function reasonBeside(beside: Beside): string {
  switch (beside.kind) {
    case "launching":
    case "starting":
      return "hands over: the next run is not ready yet";
    case "failed":
      return `did not hand over: ${beside.reason}`;
    case "retiring":
      return "took over: the run before is ending";
  }
}
