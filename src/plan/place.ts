// Which CPUs and memory nodes a cell gets for the NUMA node its manifest names.

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
