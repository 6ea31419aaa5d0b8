// Every unit of a monolith, declared or seen, and what it waits for: the graph that starts and stops follow.

import type {
  CellStatus,
  MonolithSpec,
  Observed,
  UnitRef,
  UnitSpec,
  UnitState,
  UnitStatus,
} from "../spec/index.js";

import { orderByDependency } from "./topological.js";
import { unitKey } from "./unit-ref.js";

export interface UnitNode {
  readonly ref: UnitRef;
  /** As declared; absent when the manifest no longer has it. */
  readonly spec?: UnitSpec;
  /** Absent when it was never started in this allocation of its cell. */
  readonly seen?: UnitStatus;
  /** The cell it is in, as seen. */
  readonly cell?: CellStatus;
}

/** Key → unit, what a unit waits for before the unit itself. */
export type UnitGraph = ReadonlyMap<string, UnitNode>;

export function graphUnits(desired: MonolithSpec | undefined, observed: Observed): UnitGraph {
  const nodes = new Map<string, UnitNode>();
  const statuses = new Map(observed.cells.map((cell) => [cell.name, cell]));
  for (const { name: cell, units } of desired?.cells ?? []) {
    for (const spec of units) {
      const ref = { cell, unit: spec.name };
      nodes.set(unitKey(ref), { ref, spec, ...within(statuses.get(cell)) });
    }
  }
  for (const cell of observed.cells) {
    for (const seen of cell.units) {
      const ref = { cell: cell.name, unit: seen.name };
      nodes.set(unitKey(ref), { ...(nodes.get(unitKey(ref)) ?? { ref }), seen, cell });
    }
  }
  const ordered = orderByDependency([...nodes.values()], (node) =>
    afterOf(node).flatMap((dependency) => nodes.get(unitKey(dependency)) ?? []),
  );
  return new Map(ordered.map((node) => [unitKey(node.ref), node]));
}

function within(cell: CellStatus | undefined): { readonly cell?: CellStatus } {
  return cell === undefined ? {} : { cell };
}

/** What it waits for before it starts; of a unit no longer declared, what it waited for. */
export function afterOf({ spec, seen }: UnitNode): readonly UnitRef[] {
  return (spec ?? seen?.spec)?.after ?? [];
}

/** Whether what waits for it may start. */
export function isUp({ seen }: UnitNode): boolean {
  return seen !== undefined && UP.has(seen.state);
}

/** Whether it is on its way to being up without a step of a plan. */
export function isComing({ seen, cell }: UnitNode): boolean {
  const state = seen?.state;
  return cell?.state === "running" && (state === "starting" || state === "backoff");
}

/** Whether it runs, or its supervisor will start it: what a stop must end. */
export function isLive({ seen }: UnitNode): boolean {
  return seen !== undefined && LIVE.has(seen.state);
}

/** What is degraded still runs, and is not mended by holding back what waits for it. */
const UP: ReadonlySet<UnitState> = new Set(["running", "done", "degraded"]);

const LIVE: ReadonlySet<UnitState> = new Set([
  "starting",
  "running",
  "stopping",
  "backoff",
  "crashloop",
  "degraded",
]);
