// From what a monolith should be and what was seen of it to the steps between the two.

import type { Controller, Desired, Observed, Step, VolumeFeature } from "../spec/index.js";

import { decideCells } from "./cell-fate.js";
import type { CellFate, CellFates } from "./cell-fate.js";
import { planLimits, withOfferedLimits } from "./limits.js";
import { planImages, planVolumes } from "./pool.js";
import { planPublish } from "./publish.js";
import { planUnits } from "./unit-change.js";
import type { UnitChange } from "./unit-change.js";
import { graphUnits, isLive } from "./unit-node.js";
import type { UnitNode } from "./unit-node.js";
import { wishFor } from "./unit-wish.js";

export interface PlanFacts {
  /** Controllers this host hands to cells; limits of others are left out. */
  readonly offered: readonly Controller[];
  /** What the pool can keep of a volume beside its quota. */
  readonly keeps: readonly VolumeFeature[];
  /** Leaves units that have failed to their restart policy: nobody has asked for another try. Default false. */
  readonly leaveFailed?: boolean;
}

/**
 * The steps that lead from observed to desired; none when it is there. Volumes are never taken away, cells that are
 * frozen or quarantined are left alone with all they hold in place.
 * @param desired undefined: stop and free everything
 */
export function planMonolith(
  desired: Desired | undefined,
  observed: Observed,
  facts: PlanFacts,
): readonly Step[] {
  const spec = desired?.spec;
  const stopped = new Set(desired?.stopped);
  const fates = decideCells(spec, observed);
  const graph = graphUnits(spec, observed);
  const changes = new Map<string, UnitChange>();
  for (const [key, node] of graph) {
    const fate = fates.get(node.ref.cell);
    const change =
      fate?.kind === "keep"
        ? wishFor(node, stopped.has(key), facts.leaveFailed)
        : changeWithCell(node, fate, stopped.has(key));
    if (change !== undefined) changes.set(key, change);
  }
  const { stops, starts } = planUnits(graph, changes);
  return [
    ...(spec === undefined
      ? []
      : [...planImages(spec, observed), ...planVolumes(spec, observed, facts.keeps)]),
    ...stops,
    ...planFrees(fates),
    ...planAllocations(fates, facts),
    ...planAdjustments(fates, facts),
    ...starts,
  ];
}

/** What becomes of a unit whose cell is allocated or freed. */
function changeWithCell(
  node: UnitNode,
  fate: CellFate | undefined,
  stoppedByOperator: boolean,
): UnitChange | undefined {
  const wanted = node.spec !== undefined && !stoppedByOperator;
  switch (fate?.kind) {
    case undefined:
    case "hold":
    case "keep":
      return undefined;
    case "allocate":
      return { kind: "change", ...(wanted ? { start: "not started yet" } : {}) };
    case "free":
      return { kind: "change", ...stopWithCell(node, fate.reason) };
    case "replace": {
      const start = wanted ? { start: `${node.ref.cell} is allocated anew` } : {};
      return { kind: "change", ...stopWithCell(node, fate.reason), ...start };
    }
  }
}

// Without its warden nobody can run the stop steps; to free the cell is what ends the unit.
function stopWithCell(node: UnitNode, reason: string): { readonly stop?: string } {
  return isLive(node) && node.cell?.state === "running"
    ? { stop: `${node.ref.cell}: ${reason}` }
    : {};
}

function planFrees(fates: CellFates): readonly Step[] {
  return [...fates]
    .reverse()
    .flatMap(([cell, fate]): readonly Step[] =>
      fate.kind === "free" || fate.kind === "replace"
        ? [{ kind: "free", cell, reason: fate.reason }]
        : [],
    );
}

function planAllocations(fates: CellFates, { offered }: PlanFacts): readonly Step[] {
  return [...fates].flatMap(([cell, fate]): readonly Step[] => {
    if (fate.kind !== "allocate" && fate.kind !== "replace") return [];
    return [
      { kind: "allocate", cell, spec: withOfferedLimits(fate.spec, offered), reason: fate.reason },
    ];
  });
}

/** What is changed of an allocated cell while it runs. A new allocation has its limits and ports already. */
function planAdjustments(fates: CellFates, { offered }: PlanFacts): readonly Step[] {
  const kept = [...fates.values()].filter((fate) => fate.kind === "keep");
  return [
    ...kept.flatMap(({ spec, seen }) =>
      planLimits(spec.name, withOfferedLimits(spec, offered).limits, seen.limits),
    ),
    ...kept.flatMap(({ spec, seen }) => planPublish(spec.name, spec.publish, seen.publish)),
  ];
}
