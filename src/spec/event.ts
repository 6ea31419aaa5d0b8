// A fact that is already true. `seq` rises by one with every event of a daemon's root.

import type { CellState, ExitStatus, UnitState } from "./status.js";
import type { StepKind } from "./step.js";

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
  | { readonly kind: "daemon"; readonly text: string };

export type Event = EventBody & {
  readonly seq: number;
  readonly atMs: number;
  /** The cell it is about; absent for the daemon's own. */
  readonly cell?: string;
};
