// Units as they are declared beside units as they were started: wardens keep the spec of the start, the record that of the
// manifest, and where the two differ only in what nobody but the supervisor uses, the manifest's is in force.

import { HengeError } from "../../errors.js";
import { restartDifferences, unitKey } from "../../plan/index.js";
import type { CellName, UnitName, UnitSpec } from "../../spec/index.js";
import { monolithOf } from "../../spec/index.js";
import type { StoredMonolith } from "../../store/monoliths.js";
import type { WardenUnit } from "../../warden/port.js";

export interface DeclaredUnit {
  /** False when an operator has stopped it, or no manifest has it. */
  readonly wanted: boolean;
  readonly spec?: UnitSpec;
}

export type Declared = (cell: CellName, unit: UnitName) => DeclaredUnit;

/** Of a monolith whose record cannot be read everything is taken to be wanted as it is. */
export function declaredUnits(stored: readonly StoredMonolith[]): Declared {
  const units = new Map<string, DeclaredUnit>();
  const unreadable = new Set<string>();
  for (const monolith of stored) {
    if ("corrupt" in monolith) {
      unreadable.add(monolith.name);
      continue;
    }
    const { spec: declared, stopped } = monolith.desired;
    for (const cell of declared.cells) {
      for (const spec of cell.units) {
        const key = unitKey({ cell: cell.name, unit: spec.name });
        units.set(key, { spec, wanted: !stopped.includes(key) });
      }
    }
  }
  return (cell, unit) =>
    units.get(unitKey({ cell, unit })) ?? { wanted: unreadable.has(monolithOf(cell)) };
}

/** What a warden tells, with the spec it was last declared to have. */
export function asDeclared(unit: WardenUnit, declared: UnitSpec | undefined): WardenUnit {
  if (declared === undefined) return unit;
  const asOf = <Run extends { readonly spec: UnitSpec }>(run: Run): Run =>
    isRunOf(run.spec, declared) ? { ...run, spec: declared } : run;
  const { successor } = unit;
  return { ...asOf(unit), ...(successor === undefined ? {} : { successor: asOf(successor) }) };
}

/** @throws {HengeError} WRONG_STATE: what runs is no run of the spec */
export function refuseOtherRun(name: string, running: UnitSpec, spec: UnitSpec): void {
  if (isRunOf(running, spec)) return;
  throw new HengeError("WRONG_STATE", `cannot adjust ${name}: it has not handed over`, {
    hint: "henge plan shows what it needs now",
  });
}

function isRunOf(running: UnitSpec, spec: UnitSpec): boolean {
  return restartDifferences(running, spec).length === 0;
}
