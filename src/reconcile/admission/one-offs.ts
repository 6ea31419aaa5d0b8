// How many commands of `run` there are at a time. They end with the daemon, so that nothing of this outlives it.

import { HengeError } from "../../errors.js";
import type { BudgetSpec, CellName, MonolithSpec } from "../../spec/index.js";
import { monolithOf } from "../../spec/index.js";

export class OneOffs {
  private readonly specOf: (cell: CellName) => Promise<MonolithSpec | undefined>;
  /** `MONOLITH BUDGET` → how many run. */
  private readonly running = new Map<string, number>();

  constructor(specOf: (cell: CellName) => Promise<MonolithSpec | undefined>) {
    this.specOf = specOf;
  }

  /**
   * Counts one in every budget its unit takes of.
   * @returns what lets go of them, once
   * @throws {HengeError} BUSY: as many run as a budget keeps room for; WRONG_STATE: it keeps none
   */
  async enter(cell: CellName, unit: string | undefined): Promise<() => void> {
    const budgets = ((await this.specOf(cell))?.budgets ?? []).filter(({ uses }) =>
      uses.some((use) => use.unit.cell === cell && use.unit.unit === unit),
    );
    const keyOf = ({ name }: BudgetSpec): string => `${monolithOf(cell)} ${name}`;
    for (const budget of budgets) refuseBeyond(budget, cell, this.running.get(keyOf(budget)) ?? 0);
    const add = (count: number): void => {
      for (const key of budgets.map(keyOf))
        this.running.set(key, (this.running.get(key) ?? 0) + count);
    };
    add(1);
    return () => {
      add(-1);
    };
  }
}

function refuseBeyond({ name, oneOffs }: BudgetSpec, cell: CellName, running: number): void {
  if (oneOffs === undefined) {
    throw new HengeError(
      "WRONG_STATE",
      `cannot run in ${cell}: ${name} keeps nothing for one-offs`,
      {
        hint: `say \`one-offs: { at-once: 1, each: … }\` under budgets: ${name} in the manifest`,
      },
    );
  }
  if (running < oneOffs.atOnce) return;
  const as = running === 1 ? "1 one-off runs" : `${String(running)} one-offs run`;
  throw new HengeError("BUSY", `cannot run in ${cell}: ${as}, and ${name} keeps room for no more`, {
    hint: "wait until one has ended",
  });
}
