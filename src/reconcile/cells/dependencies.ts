// Whether what a unit starts after is up, across the cells of a monolith: seen here, decided on in supervise/.

import { unitKey } from "../../plan/index.js";
import type { CellName, MonolithSpec, UnitName, UnitRef } from "../../spec/index.js";

import type { Ports } from "../ports.js";
import type { Supervisor } from "./supervisor.js";

/** Those that come back together are started one after another, each somewhere in a slot of this length. */
const SLOT_MS = 500;

type Allocated = ReadonlyMap<CellName, { readonly units: ReadonlyMap<UnitName, Supervisor> }>;

export class Dependencies {
  private readonly random: Ports["random"];
  private readonly allocated: Allocated;
  /** What a manifest says now; a unit that runs may have been started under another. */
  private readonly declared = new Map<string, readonly UnitRef[]>();
  private adopted = false;

  constructor(random: Ports["random"], allocated: Allocated) {
    this.random = random;
    this.allocated = allocated;
  }

  /** Called first when every cell is adopted: until then a unit that is not known may well be up. */
  declare(monoliths: readonly MonolithSpec[]): void {
    this.adopted = true;
    for (const { name: cell, units } of monoliths.flatMap(({ cells }) => cells))
      for (const { name: unit, after } of units) this.declared.set(unitKey({ cell, unit }), after);
    this.look();
  }

  /** The cell is freed: what it will have next is started as it is declared by then. */
  forget(cell: CellName): void {
    for (const key of this.declared.keys())
      if (key.startsWith(`${cell}:`)) this.declared.delete(key);
    this.look();
  }

  /** Tells every unit what has changed of what it starts after. */
  readonly look = (): void => {
    if (!this.adopted) return;
    let slot = 0;
    for (const [cell, { units }] of this.allocated) {
      for (const [unit, supervisor] of units) {
        const after = this.declared.get(unitKey({ cell, unit })) ?? supervisor.after;
        const missing = after.find((one) => !this.isUp(one));
        const pauseMs = Math.floor((slot + this.random()) * SLOT_MS);
        const starts = supervisor.dependOn(
          missing === undefined ? undefined : unitKey(missing),
          pauseMs,
        );
        if (starts) slot++;
      }
    }
  };

  private isUp({ cell, unit }: UnitRef): boolean {
    return this.allocated.get(cell)?.units.get(unit)?.isUp ?? false;
  }
}
