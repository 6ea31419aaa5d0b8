// An upgrade as a row of monoliths, each a little more of the new one: what is applied one after another.

import type { CellSpec, MonolithSpec, Step, UnitRef, UnitSpec, UpgradeRun } from "../spec/index.js";

import { boundaryDifferences } from "./difference.js";
import { orderByDependency } from "./topological.js";
import { unitKey } from "./unit-ref.js";

export interface UpgradePhase {
  /** For people, e.g. `running shop/migrate:migrate on the new code`. */
  readonly text: string;
  readonly spec: MonolithSpec;
  /** One-shots that run in it, whether or not anything of them has changed. */
  readonly runs: readonly UnitRef[];
}

export interface UpgradePlan {
  /** From each of these the way back to the old monolith is open. */
  readonly reversible: readonly UpgradePhase[];
  /** From here on it is not. It leaves the new monolith as its manifest has it. */
  readonly final: UpgradePhase;
}

/**
 * First the cells of what runs before, then every other cell in the order its units wait for one another, then what runs
 * after. Where the root cell itself must be allocated anew, all others go down with it: then they come at once.
 */
export function planUpgrade(from: MonolithSpec, to: MonolithSpec): UpgradePlan {
  const { before, after } = to.upgrade ?? { before: [], after: [] };
  const prepared = before.reduce(withRun, to);
  const early = new Set(before.map(({ unit }) => unit.cell));
  const runs = before.map(({ unit }) => unit);
  const preparing = {
    text: `running ${runs.map(unitKey).join(", ")} on the new code`,
    spec: mix(from, prepared, early),
    runs,
  };
  return {
    reversible: [...(runs.length === 0 ? [] : [preparing]), ...planRestarts(from, prepared, early)],
    final: { text: "finishing; there is no way back by itself from here", spec: to, runs: after },
  };
}

function planRestarts(
  from: MonolithSpec,
  to: MonolithSpec,
  early: ReadonlySet<string>,
): readonly UpgradePhase[] {
  const whole = { text: "restarting what has changed", spec: to, runs: [] };
  if (replacesRoot(from, to)) return [whole];
  const done = new Set(early);
  const single = orderCells(to)
    .filter(({ name }) => !early.has(name))
    .map(({ name }): UpgradePhase => {
      done.add(name);
      const text = `restarting what has changed in ${name}`;
      return { text, spec: mix(from, to, done), runs: [] };
    });
  // The last of them has all but what the new manifest no longer names.
  return [...single, whole];
}

function replacesRoot(from: MonolithSpec, to: MonolithSpec): boolean {
  const [old, fresh] = [from.cells[0], to.cells[0]];
  return (
    old === undefined ||
    fresh === undefined ||
    boundaryDifferences(old.boundary, fresh.boundary).length > 0
  );
}

/** A cell comes after those its units wait for. */
function orderCells({ cells }: MonolithSpec): readonly CellSpec[] {
  return orderByDependency(cells, (cell) => {
    const needed = new Set(cell.units.flatMap(({ after }) => after.map((ref) => ref.cell)));
    return cells.filter(({ name }) => name !== cell.name && needed.has(name));
  });
}

/** Of a phase's plan those that must run and would not, in order. */
export function forcedRuns({ spec, runs }: UpgradePhase, steps: readonly Step[]): readonly Step[] {
  return runs.flatMap((ref): readonly Step[] => {
    const unit = spec.cells
      .find(({ name }) => name === ref.cell)
      ?.units.find(({ name }) => name === ref.unit);
    const isPlanned = steps.some((step) => step.kind === "start" && unitKey(step) === unitKey(ref));
    if (unit === undefined || isPlanned) return [];
    return [
      { kind: "start", ...ref, spec: unit, reason: "run by the upgrade" },
      { kind: "await", ...ref, reason: "until it is done" },
    ];
  });
}

/** The old monolith with the named cells of the new one, and what these need of the pool. */
function mix(from: MonolithSpec, to: MonolithSpec, names: ReadonlySet<string>): MonolithSpec {
  const fresh = new Map(to.cells.map((cell) => [cell.name, cell]));
  const known = new Set(from.cells.map(({ name }) => name));
  const isNew = ({ name }: CellSpec): boolean => names.has(name);
  return {
    ...from,
    images: [
      ...from.images,
      ...to.images.filter(
        ({ name, digest }) =>
          !from.images.some((image) => image.name === name && image.digest === digest),
      ),
    ],
    volumes: [
      ...to.volumes,
      ...from.volumes.filter(({ name }) => !to.volumes.some((volume) => volume.name === name)),
    ],
    cells: [
      ...from.cells.map((cell) => (isNew(cell) ? (fresh.get(cell.name) ?? cell) : cell)),
      ...to.cells.filter((cell) => isNew(cell) && !known.has(cell.name)),
    ],
  };
}

/** With more environment a one-shot is another than it was, and is run again. */
function withRun(spec: MonolithSpec, { unit: ref, env }: UpgradeRun): MonolithSpec {
  return {
    ...spec,
    cells: spec.cells.map((cell) =>
      cell.name === ref.cell ? { ...cell, units: cell.units.map(run(ref, env)) } : cell,
    ),
  };
}

function run(ref: UnitRef, env: UpgradeRun["env"]): (unit: UnitSpec) => UnitSpec {
  return (unit) => (unit.name === ref.unit ? { ...unit, env: { ...unit.env, ...env } } : unit);
}
