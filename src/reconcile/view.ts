// What a person sees: every declared cell and unit beside what was observed of it. Pure.

import type {
  CellName,
  CellSpec,
  CellStatus,
  MonolithName,
  UnitSpec,
  UnitStatus,
} from "../spec/index.js";
import type { StoredMonolith } from "../store/monoliths.js";

import { ENDED } from "./cells/waiters.js";

interface Known {
  readonly blocked: ReadonlyMap<CellName, string>;
  readonly notReached: (monolith: MonolithName) => string | undefined;
}

/** As `viewCells`; the root cell tells what was asked and could not be reached, also where nothing else is there. */
export function viewMonolith(
  monolith: MonolithName,
  stored: StoredMonolith | undefined,
  observed: readonly CellStatus[],
  known: Known,
): readonly CellStatus[] {
  const root = monolith as string as CellName;
  const seen = viewCells(stored, observed, known.blocked);
  const notReached = known.notReached(monolith);
  if (notReached === undefined) return seen;
  const cells: readonly CellStatus[] = seen.some(({ name }) => name === root)
    ? seen
    : [{ ...placeholder(root), state: "absent" }, ...seen];
  return cells.map((cell) => (cell.name === root ? { ...cell, notReached } : cell));
}

/** Cells in the manifest's order, then those no manifest declares. */
export function viewCells(
  stored: StoredMonolith | undefined,
  observed: readonly CellStatus[],
  blocked: ReadonlyMap<CellName, string>,
): readonly CellStatus[] {
  if (stored === undefined) return observed;
  if ("corrupt" in stored) return quarantined(stored, observed);
  const declared = stored.desired.spec.cells;
  const extra = observed.filter((cell) => !declared.some((spec) => spec.name === cell.name));
  const seen = declared.map((spec) => {
    const found = observed.find((cell) => cell.name === spec.name);
    return found === undefined ? absent(spec, blocked.get(spec.name)) : withUnits(spec, found);
  });
  return [...seen, ...extra];
}

function absent(spec: CellSpec, reason: string | undefined): CellStatus {
  const { name, boundary } = spec;
  const state = reason === undefined ? "absent" : "blocked";
  const units = spec.units.map(unstarted);
  return {
    name,
    state,
    boundary,
    limits: {},
    publish: [],
    units,
    ...(reason === undefined ? {} : { reason }),
  };
}

/** A unit no manifest declares is shown for as long as something of it runs. */
function withUnits(spec: CellSpec, found: CellStatus): CellStatus {
  const declared = spec.units.map(
    (unit) => found.units.find(({ name }) => name === unit.name) ?? unstarted(unit),
  );
  const extra = found.units.filter(
    (unit) => !ENDED.has(unit.state) && !spec.units.some(({ name }) => name === unit.name),
  );
  return { ...found, units: [...declared, ...extra] };
}

function unstarted(spec: UnitSpec): UnitStatus {
  return { name: spec.name, spec, state: "stopped", ready: false, restarts: 0 };
}

function quarantined(
  stored: { readonly name: MonolithName; readonly corrupt: string },
  observed: readonly CellStatus[],
): readonly CellStatus[] {
  const root = stored.name as string as CellName;
  const cells = observed.some((cell) => cell.name === root)
    ? observed
    : [placeholder(root), ...observed];
  return cells.map((cell) => ({ ...cell, state: "quarantined", reason: stored.corrupt }));
}

function placeholder(name: CellName): CellStatus {
  const boundary = {
    root: { kind: "host" },
    network: "host",
    hostname: name,
    mounts: [],
    tmpfs: [],
    files: [],
  } as const;
  return { name, state: "quarantined", boundary, limits: {}, publish: [], units: [] };
}
