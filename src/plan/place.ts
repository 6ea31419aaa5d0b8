// Which CPUs and memory nodes a cell gets for the NUMA node its manifest names.

import { numbersOf, parentOf } from "../spec/index.js";
import type { CellName, CellSpec, Limits, MonolithSpec, Topology } from "../spec/index.js";

export interface MissingNode {
  readonly cell: CellName;
  readonly node: number;
}

/** Cells whose node this host does not have, or not with both CPUs and memory. */
export function missingNodes(spec: MonolithSpec, { nodes }: Topology): readonly MissingNode[] {
  return spec.cells.flatMap(({ name, numa }) =>
    numa === undefined || nodes.some(({ number }) => number === numa)
      ? []
      : [{ cell: name, node: numa }],
  );
}

/** The monolith with every node spelt out as cpuset.cpus and cpuset.mems. */
export function placeCells(spec: MonolithSpec, topology: Topology): MonolithSpec {
  return { ...spec, cells: spec.cells.map((cell) => placeCell(cell, topology)) };
}

function placeCell(cell: CellSpec, topology: Topology): CellSpec {
  const node = topology.nodes.find(({ number }) => number === cell.numa);
  const limits: Limits =
    node === undefined
      ? cell.limits
      : { ...cell.limits, "cpuset.cpus": node.cpus, "cpuset.mems": String(node.number) };
  return { ...cell, limits: withoutAll(limits, topology) };
}

/** All there is, is no limit: a running cell whose limit is lifted reads so, for the kernel clears none. */
function withoutAll(limits: Limits, { cpus, mems }: Topology): Limits {
  const { "cpuset.cpus": own, "cpuset.mems": memory, ...rest } = limits;
  return {
    ...rest,
    ...(own === undefined || own === cpus ? {} : { "cpuset.cpus": own }),
    ...(memory === undefined || memory === mems ? {} : { "cpuset.mems": memory }),
  };
}

export interface OutOfReach {
  readonly cell: CellName;
  readonly file: "cpuset.cpus" | "cpuset.mems";
  readonly numbers: readonly number[];
  /** What there is to choose from. */
  readonly available: string;
  /** The cell around it whose limit leaves only that; absent: the host. */
  readonly within?: CellName;
}

/**
 * CPUs and memory nodes that placed cells name and cannot have. The kernel refuses some of them with a bare EINVAL, and
 * of others it silently gives the cell something else.
 */
export function outOfReach(spec: MonolithSpec, topology: Topology): readonly OutOfReach[] {
  return spec.cells.flatMap((cell) =>
    (["cpuset.cpus", "cpuset.mems"] as const).flatMap((file): readonly OutOfReach[] => {
      const around = enclosing(spec, cell.name, file);
      const available = around?.limits[file] ?? topology[file === "cpuset.cpus" ? "cpus" : "mems"];
      const has = new Set(numbersOf(available));
      const numbers = numbersOf(cell.limits[file] ?? "").filter((number) => !has.has(number));
      // Where the controller is not offered nothing is known, and nothing will be written.
      if (numbers.length === 0 || has.size === 0) return [];
      const within = around === undefined ? {} : { within: around.name };
      return [{ cell: cell.name, file, numbers, available, ...within }];
    }),
  );
}

/** The nearest cell around it that has the limit. */
function enclosing(
  spec: MonolithSpec,
  cell: CellName,
  file: OutOfReach["file"],
): CellSpec | undefined {
  const name = parentOf(cell);
  const parent = spec.cells.find((candidate) => candidate.name === name);
  if (name === undefined || parent?.limits[file] !== undefined) return parent;
  return enclosing(spec, name, file);
}
