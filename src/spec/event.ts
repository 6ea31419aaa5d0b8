// A fact that is already true. `seq` rises by one with every event of a daemon's root.

import type { CellState, ExitStatus, UnitState } from "./status.js";
import type { StepKind } from "./step.js";

export const PRESSURE_RESOURCES = ["cpu", "memory", "io"] as const;

/** Processes of a cell waited for a resource. @see https://docs.kernel.org/accounting/psi.html */
export interface PressureFact {
  readonly kind: "pressure";
  readonly resource: (typeof PRESSURE_RESOURCES)[number];
  /** Percent of the last ten seconds in which at least one process waited; lags behind at the beginning. */
  readonly avg10: number;
}

export type EventBody =
  | { readonly kind: "cell-state"; readonly state: CellState; readonly reason?: string }
  | {
      readonly kind: "unit-state";
      readonly unit: string;
      readonly state: UnitState;
      readonly pid?: number;
      readonly reason?: string;
    }
  | {
      readonly kind: "unit-exit";
      readonly unit: string;
      readonly pid: number;
      readonly exit: ExitStatus;
      readonly wardenSeq: number;
    }
  | {
      readonly kind: "step";
      readonly step: StepKind;
      readonly unit?: string;
      readonly text: string;
    }
  /** `kills`: processes killed for want of memory in the cell and those nested in it, since it was allocated. */
  | { readonly kind: "oom"; readonly kills: number }
  | PressureFact
  /** Somebody else changed the network's rules; `by` is a process that did, as `NAME[PID]`. */
  | { readonly kind: "rules-restored"; readonly by?: string }
  | {
      readonly kind: "snapshot";
      readonly name: string;
      readonly what: "taken" | "destroyed" | "rolled-back";
    }
  | { readonly kind: "daemon"; readonly text: string };

export type Event = EventBody & {
  readonly seq: number;
  readonly atMs: number;
  /** The cell it is about; absent for the daemon's own. */
  readonly cell?: string;
};
