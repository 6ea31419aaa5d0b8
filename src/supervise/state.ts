// How a unit's life looks from outside, in the words of UnitState.

import type { UnitState } from "../spec/index.js";

import type { Beside, UnitLife } from "./life.js";

export interface VisibleState {
  readonly state: UnitState;
  readonly ready: boolean;
  readonly reason?: string;
  readonly restarts: number;
}

export function lifeToState(life: UnitLife): VisibleState {
  const reason = reasonOf(life);
  return {
    state: stateOf(life),
    ready: life.phase.kind === "running",
    ...(reason === undefined ? {} : { reason }),
    restarts: life.restarts,
  };
}

function stateOf({ phase, spec, failures, wanted }: UnitLife): UnitState {
  switch (phase.kind) {
    case "launching":
      return wanted ? "starting" : "stopping";
    case "waiting":
      return failures >= spec.restart.crashLoopAfter ? "crashloop" : "backoff";
    case "stopped":
    case "starting":
    case "running":
    case "stopping":
    case "done":
    case "failed":
      return phase.kind;
  }
}

function reasonOf({ phase, beside }: UnitLife): string | undefined {
  if (phase.kind === "running" && beside !== undefined) return reasonBeside(beside);
  switch (phase.kind) {
    case "starting":
    case "waiting":
    case "failed":
      return phase.reason;
    case "stopping":
      return phase.failure;
    case "stopped":
    case "launching":
    case "running":
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
