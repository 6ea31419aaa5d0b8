// Budgets as declared at the top and used in units → one list of each with all that takes of it.

import type { BudgetSpec, CellName, MonolithSpec, UnitName, UnitRef } from "../spec/index.js";
import { readOption, type BudgetFields } from "./budget.js";
import type { ManifestFields, NestedFields } from "./cell.js";
import { readReference } from "./dependencies.js";
import type { UnitFields } from "./unit.js";

interface Taker {
  readonly unit: UnitRef;
  readonly fields: UnitFields;
}

/** @param fields whose references have been checked */
export function budgetsOf(fields: ManifestFields): Pick<MonolithSpec, "budgets" | "exclusive"> {
  const takers = takersOf(fields, fields.name);
  const budgets = Object.entries(fields.budgets).map(([name, budget]) =>
    toBudget(name, budget, serverOf(budget, fields.name, takers), takers),
  );
  const exclusive = fields.exclusive.flatMap((name) =>
    takers
      .filter(({ fields: { owns } }) => owns.includes(name))
      .map(({ unit }) => ({ name, owner: unit })),
  );
  return {
    ...(budgets.length === 0 ? {} : { budgets }),
    ...(exclusive.length === 0 ? {} : { exclusive }),
  };
}

function takersOf(fields: ManifestFields | NestedFields, cell: string): readonly Taker[] {
  return [
    ...Object.entries(fields.units).map(([unit, unitFields]) => ({
      unit: { cell: cell as CellName, unit: unit as UnitName },
      fields: unitFields,
    })),
    ...Object.entries(fields.cells).flatMap(([label, nested]) =>
      takersOf(nested, `${cell}/${label}`),
    ),
  ];
}

function serverOf(
  { unit }: BudgetFields,
  monolith: string,
  takers: readonly Taker[],
): Taker | undefined {
  if (unit === undefined) return undefined;
  const reference = readReference(unit, "");
  const cell = reference.cell === "" ? monolith : `${monolith}/${reference.cell}`;
  return takers.find(({ unit: of }) => of.cell === cell && of.unit === reference.unit);
}

function toBudget(
  name: string,
  fields: BudgetFields,
  server: Taker | undefined,
  takers: readonly Taker[],
): BudgetSpec {
  const { limit = 0, option, "one-offs": kept } = fields;
  const inArgv = option && server && readOption(server.fields.argv, option);
  return {
    name,
    limit: inArgv === undefined ? limit : Number(inArgv),
    ...(server === undefined ? {} : { unit: server.unit }),
    ...(option === undefined ? {} : { option }),
    reserved: fields.reserved,
    ...(kept === undefined ? {} : { oneOffs: { atOnce: kept["at-once"], each: kept.each } }),
    descriptors: fields.descriptors,
    uses: takers.flatMap(({ unit, fields: { uses } }) => {
      const amount = Object.hasOwn(uses, name) ? uses[name] : undefined;
      return amount === undefined ? [] : [{ unit, amount }];
    }),
  };
}
