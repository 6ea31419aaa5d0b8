// One act of a plan. A step names everything it needs from the spec; execution chooses nothing.

import type { CellSpec, ImageSpec, MonolithSpec, PublishSpec } from "./cell.js";
import type { LimitFile } from "./limits.js";
import type { CellName, UnitName } from "./names.js";
import type { UnitSpec } from "./unit.js";
import type { VolumeSpec } from "./volume.js";

export type Step = { readonly reason: string } & (
  | { readonly kind: "create-volume"; readonly volume: VolumeSpec }
  | { readonly kind: "set-volume"; readonly volume: VolumeSpec }
  | { readonly kind: "import-image"; readonly image: ImageSpec }
  | { readonly kind: "allocate"; readonly cell: CellName; readonly spec: CellSpec }
  | {
      readonly kind: "set-limit";
      readonly cell: CellName;
      readonly file: LimitFile;
      readonly text: string;
    }
  | { readonly kind: "publish"; readonly cell: CellName; readonly ports: readonly PublishSpec[] }
  | {
      readonly kind: "start";
      readonly cell: CellName;
      readonly unit: UnitName;
      readonly spec: UnitSpec;
    }
  /** Waits until the unit is ready, or done when it is a one-shot. */
  | { readonly kind: "await"; readonly cell: CellName; readonly unit: UnitName }
  | { readonly kind: "stop"; readonly cell: CellName; readonly unit: UnitName }
  /** Starts a run beside the one there is, waits until it is ready, and ends the one before; or the one before stays. */
  | {
      readonly kind: "hand-over";
      readonly cell: CellName;
      readonly unit: UnitName;
      readonly spec: UnitSpec;
    }
  /** What runs stays, and is supervised as the spec says: its probes, its times, its restart policy. */
  | {
      readonly kind: "adjust";
      readonly cell: CellName;
      readonly unit: UnitName;
      readonly spec: UnitSpec;
    }
  /** Waits for a random time before the unit's turn. */
  | {
      readonly kind: "pause";
      readonly cell: CellName;
      readonly unit: UnitName;
      readonly upToMs: number;
    }
  | { readonly kind: "free"; readonly cell: CellName }
);
export type StepKind = Step["kind"];

/** What a monolith should be: its manifest, and what an operator stopped by hand. */
export interface Desired {
  readonly spec: MonolithSpec;
  /** `CELL:UNIT` of the units an operator stopped and did not start again. */
  readonly stopped: readonly string[];
}
