// What there is only so much of, and who takes how much of it: connections, descriptors, memory, one owner.

import type { UnitRef } from "./unit.js";

export interface BudgetSpec {
  readonly name: string;
  readonly limit: number;
  /** The unit that gives it. */
  readonly unit?: UnitRef;
  /** Where the limit stands in the argv of that unit; absent when it is the manifest's alone. */
  readonly option?: string;
  /** Nobody's to take. */
  readonly reserved: number;
  readonly oneOffs?: OneOffs;
  /** Each of it takes a file descriptor of the unit. */
  readonly descriptors: boolean;
  readonly uses: readonly BudgetUse[];
}

/** What is kept for commands run beside the units. */
export interface OneOffs {
  readonly atOnce: number;
  /** What one of them takes at most. */
  readonly each: number;
}

export interface BudgetUse {
  readonly unit: UnitRef;
  /** At most, of one generation. */
  readonly amount: number;
}

/** What exactly one unit may have. */
export interface ExclusiveSpec {
  readonly name: string;
  readonly owner: UnitRef;
}

/** One line of the table of budgets. */
export interface BudgetRow {
  readonly name: string;
  readonly isBytes: boolean;
  /** Together; absent when one of them has no bound. */
  readonly asked?: number;
  /** The same while the generations of units that hand over are both up. */
  readonly doubled?: number;
  readonly limit: number;
  readonly from: string;
  /** `over`: beyond the limit, which is allowed. */
  readonly verdict: "fits" | "over" | "refused";
  readonly parts: readonly BudgetPart[];
}

export interface BudgetPart {
  readonly who: string;
  /** Absent: no bound. */
  readonly amount?: number;
  /** How often it is asked for while generations overlap. */
  readonly times: number;
}
