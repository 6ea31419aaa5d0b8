// Which units a verb on a cell or unit means.

import { HengeError } from "../../errors.js";
import type { CellName, CellStatus, MonolithSpec, UnitRef } from "../../spec/index.js";

import type { Target } from "../control.js";

export function isWithin(cell: CellName, root: CellName): boolean {
  return cell === root || cell.startsWith(`${root}/`);
}

/**
 * The declared units of a target: one unit, or all of a cell and of the cells nested in it.
 * @throws {HengeError} CELL_NOT_FOUND, UNIT_NOT_FOUND: with the names that are known
 */
export function expandTarget(spec: MonolithSpec, target: Target): readonly UnitRef[] {
  const cells = spec.cells.filter((cell) => isWithin(cell.name, target.cell));
  if (cells.length === 0) throw cellNotFound(target.cell, spec.cells);
  if (target.unit === undefined) {
    return cells.flatMap((cell) =>
      cell.units.map((unit) => ({ cell: cell.name, unit: unit.name })),
    );
  }
  const units = cells.find((cell) => cell.name === target.cell)?.units ?? [];
  const unit = units.find((candidate) => candidate.name === target.unit);
  if (unit === undefined) {
    const known = units.map((candidate) => candidate.name).join(", ");
    throw new HengeError(
      "UNIT_NOT_FOUND",
      `cannot find unit ${target.unit} in cell ${target.cell}`,
      {
        hint: known === "" ? `${target.cell} has no units of its own` : `its units: ${known}`,
      },
    );
  }
  return [{ cell: target.cell, unit: unit.name }];
}

export function cellNotFound(
  cell: CellName,
  known: readonly Pick<CellStatus, "name">[],
): HengeError {
  const names = known.map((candidate) => candidate.name).join(", ");
  return new HengeError("CELL_NOT_FOUND", `cannot find cell ${cell}`, {
    hint:
      names === ""
        ? "no cell is known; apply a manifest with henge up FILE"
        : `known cells: ${names}`,
  });
}
