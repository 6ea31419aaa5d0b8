// What becomes of each cell of a monolith, and why. Its units are decided elsewhere.

import { parentOf } from "../spec/index.js";
import type { CellName, CellSpec, CellStatus, MonolithSpec, Observed } from "../spec/index.js";

import { boundaryDifferences } from "./difference.js";
import { formatList } from "./text.js";

export type CellFate = { readonly spec?: CellSpec; readonly seen?: CellStatus } & (
  | { readonly kind: "keep"; readonly spec: CellSpec; readonly seen: CellStatus }
  /** Not allocated. */
  | { readonly kind: "allocate"; readonly reason: string; readonly spec: CellSpec }
  /** Allocated, to be freed and allocated anew. */
  | {
      readonly kind: "replace";
      readonly reason: string;
      readonly spec: CellSpec;
      readonly seen: CellStatus;
    }
  | { readonly kind: "free"; readonly reason: string; readonly seen: CellStatus }
  /** No step may touch it: it is frozen or quarantined, or it cannot be changed without a cell that is. */
  | { readonly kind: "hold" }
);

/** Parents before children. */
export type CellFates = ReadonlyMap<CellName, CellFate>;

export function decideCells(desired: MonolithSpec | undefined, observed: Observed): CellFates {
  const specs = new Map(desired?.cells.map((spec) => [spec.name, spec]));
  const seen = new Map(observed.cells.filter(isAllocated).map((status) => [status.name, status]));
  const names = [...new Set([...specs.keys(), ...seen.keys()])].sort(
    (a, b) => depthOf(a) - depthOf(b),
  );
  const fates = new Map<CellName, CellFate>();
  for (const name of names) {
    const fate = decideCell(specs.get(name), seen.get(name), fates.get(parentOf(name) ?? name));
    if (fate !== undefined) fates.set(name, fate);
  }
  return hold(fates);
}

/** Whether nothing may be done in it until an operator has: its processes cannot run, or its record cannot be read. */
export function isUntouchable({ state }: CellStatus): boolean {
  return state === "frozen" || state === "quarantined";
}

function isAllocated({ state }: CellStatus): boolean {
  return state !== "absent" && state !== "blocked";
}

function depthOf(cell: CellName): number {
  return cell.split("/").length;
}

/** @param parent of the cell it is nested in; undefined for a root cell */
function decideCell(
  spec: CellSpec | undefined,
  seen: CellStatus | undefined,
  parent: CellFate | undefined,
): CellFate | undefined {
  if (spec === undefined) {
    return seen && { kind: "free", reason: "removed from the manifest", seen };
  }
  if (seen === undefined) {
    return { kind: "allocate", reason: "not allocated", spec };
  }
  const reason = reasonToReplace(spec, seen, parent);
  return reason === undefined
    ? { kind: "keep", spec, seen }
    : { kind: "replace", reason, spec, seen };
}

function reasonToReplace(
  spec: CellSpec,
  seen: CellStatus,
  parent: CellFate | undefined,
): string | undefined {
  if (seen.state === "quarantined") return undefined;
  if (seen.state === "unsupervised") return "its warden is gone";
  const differences = boundaryDifferences(seen.boundary, spec.boundary);
  if (differences.length > 0) return formatList(differences);
  // Its cgroup and its namespaces are inside its parent's: it cannot outlive them.
  if (parent !== undefined && parent.kind !== "keep")
    return `${parentOf(spec.name) ?? ""} is allocated anew`;
  return undefined;
}

/** What cannot be freed because of an untouchable cell inside it is left alone as a whole, not half taken down. */
function hold(fates: CellFates): CellFates {
  const roots = new Set<CellName>();
  for (const [name, { seen }] of fates) {
    if (seen !== undefined && isUntouchable(seen)) roots.add(outermostChanged(name, fates) ?? name);
  }
  return new Map(
    [...fates].map(([name, fate]) => {
      const held = lineOf(name).some((cell) => roots.has(cell));
      return [name, held ? { ...fate, kind: "hold" } : fate];
    }),
  );
}

function outermostChanged(name: CellName, fates: CellFates): CellName | undefined {
  return lineOf(name).find((cell) => {
    const kind = fates.get(cell)?.kind;
    return kind !== undefined && kind !== "keep";
  });
}

/** The cell and all it is nested in, outermost first. */
function lineOf(name: CellName): readonly CellName[] {
  const parent = parentOf(name);
  return parent === undefined ? [name] : [...lineOf(parent), name];
}
