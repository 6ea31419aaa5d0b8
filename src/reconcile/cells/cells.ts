// The allocated cells this daemon knows: their wardens and their units' supervisors, and those whose warden is gone. What
// raises and frees them is the allocator.

import { HengeError } from "../../errors.js";
import type { CellName, UnitName, UnitSpec } from "../../spec/index.js";
import type { Warden, WardenState, WardenUnit } from "../../warden/port.js";

import type { Ports } from "../ports.js";
import { asDeclared } from "./declared.js";
import type { DeclaredUnit } from "./declared.js";
import { Dependencies } from "./dependencies.js";
import { Supervisor } from "./supervisor.js";

export interface AllocatedCell {
  readonly warden: Warden;
  readonly state: Omit<WardenState, "units" | "oomKills">;
  readonly units: ReadonlyMap<UnitName, Supervisor>;
  /** Its warden is gone. */
  readonly lost: boolean;
}

interface Entry extends AllocatedCell {
  readonly units: Map<UnitName, Supervisor>;
  lost: boolean;
}

export class Cells {
  private readonly ports: Ports;
  private readonly allocated = new Map<CellName, Entry>();
  /** Cells a former daemon's warden left without a witness. */
  private readonly orphaned = new Set<CellName>();
  readonly dependencies: Dependencies;

  constructor(ports: Ports) {
    this.ports = ports;
    this.dependencies = new Dependencies(ports.random, this.allocated);
  }

  get(cell: CellName): AllocatedCell | undefined {
    return this.allocated.get(cell);
  }

  names(): readonly CellName[] {
    return [...new Set([...this.allocated.keys(), ...this.orphaned])].sort();
  }

  isUnsupervised(cell: CellName): boolean {
    return this.orphaned.has(cell) || this.allocated.get(cell)?.lost === true;
  }

  /** First host uids of their ranges. */
  uidBases(): readonly number[] {
    return [...this.allocated.values()].map(({ state }) => state.uidBase);
  }

  add(warden: Warden, state: AllocatedCell["state"]): void {
    this.allocated.set(warden.cell, { warden, state, units: new Map(), lost: false });
  }

  addOrphan(cell: CellName): void {
    this.orphaned.add(cell);
  }

  /** Its warden is gone: nobody tells of its units any more. */
  lose(cell: CellName): void {
    const known = this.allocated.get(cell);
    if (known === undefined) return;
    known.lost = true;
    release(known);
  }

  /** @returns whether it was known */
  remove(cell: CellName): boolean {
    const wasAllocated = this.allocated.delete(cell);
    this.dependencies.forget(cell);
    return this.orphaned.delete(cell) || wasAllocated;
  }

  /** The supervisor of a unit, made when the unit was never started in this allocation. */
  unit(cell: CellName, spec: UnitSpec): Supervisor {
    const { warden, units } = this.entry(cell);
    const known =
      units.get(spec.name) ?? new Supervisor(this.ports, warden, spec, this.dependencies.look);
    units.set(spec.name, known);
    return known;
  }

  /** Takes up a unit that outlived the last daemon. */
  adoptUnit(
    cell: CellName,
    told: WardenUnit,
    { wanted, spec }: DeclaredUnit,
    isFrozen: boolean,
  ): void {
    const { warden, units } = this.entry(cell);
    const unit = asDeclared(told, spec);
    units.set(
      unit.name,
      Supervisor.adopt(this.ports, warden, unit, { wanted, isFrozen }, this.dependencies.look),
    );
  }

  existingUnit(cell: CellName, unit: UnitName): Supervisor {
    const known = this.existing(cell).units.get(unit);
    if (known === undefined) {
      throw new HengeError("WRONG_STATE", `cannot use ${cell}:${unit}: it was never started`, {
        hint: `henge start ${cell}:${unit}`,
      });
    }
    return known;
  }

  /** @throws {HengeError} WRONG_STATE: not allocated, or its warden is gone */
  existing(cell: CellName): AllocatedCell {
    return this.entry(cell);
  }

  private entry(cell: CellName): Entry {
    const known = this.allocated.get(cell);
    if (known === undefined || known.lost) {
      const why = known === undefined ? "it is not running" : "its warden is gone";
      throw new HengeError("WRONG_STATE", `cannot use cell ${cell}: ${why}`, {
        hint: "bring it up with henge up FILE",
      });
    }
    return known;
  }

  /** Lets go of every warden; they live on. */
  close(): void {
    for (const known of this.allocated.values()) {
      release(known);
      known.warden.close();
    }
  }
}

/** Ends the supervision of its units; what runs is left alone. */
export function release({ units }: AllocatedCell): void {
  for (const unit of units.values()) unit.release();
}
