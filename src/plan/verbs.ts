// The plans of the verbs start, stop and restart: they touch the units named and, for a start, what those wait for.

import type { Desired, Observed, Step, UnitRef } from "../spec/index.js";

import { isUntouchable } from "./cell-fate.js";
import { planUnits } from "./unit-change.js";
import type { BlockedStart, UnitChange, UnitPlan } from "./unit-change.js";
import { afterOf, graphUnits, isLive } from "./unit-node.js";
import type { UnitGraph, UnitNode } from "./unit-node.js";
import { unitKey } from "./unit-ref.js";
import { restartOf, wishByState } from "./unit-wish.js";

/** Starts what does not run of the targets, and of what they wait for unless an operator stopped that. */
export function planStart(
  desired: Desired,
  observed: Observed,
  targets: readonly UnitRef[],
): readonly Step[] {
  return planWith(desired, observed, targets, startChange).starts;
}

/** Stops what runs of the targets, dependents first. Units that wait for a target are not touched. */
export function planStop(
  desired: Desired,
  observed: Observed,
  targets: readonly UnitRef[],
): readonly Step[] {
  const changes = new Map<string, UnitChange>();
  const graph = graphUnits(desired.spec, observed);
  for (const [key, node] of pick(graph, targets)) {
    if (isLive(node)) changes.set(key, { kind: "change", stop: "stopped by operator" });
  }
  return planUnits(graph, changes).stops;
}

/**
 * Stops all targets that run, dependents first, then starts all of them; a one-shot runs once more. Those that hand over
 * or take turns stay until it is their turn among the starts.
 */
export function planRestart(
  desired: Desired,
  observed: Observed,
  targets: readonly UnitRef[],
): readonly Step[] {
  const { stops, starts } = planWith(desired, observed, targets, restartChange);
  return [...stops, ...starts];
}

/** The targets the verb leaves alone because of what they wait for, e.g. a unit an operator stopped. */
export function blockedStarts(
  verb: "start" | "restart",
  desired: Desired,
  observed: Observed,
  targets: readonly UnitRef[],
): readonly BlockedStart[] {
  const changeOf = verb === "start" ? startChange : restartChange;
  return planWith(desired, observed, targets, changeOf).blocked;
}

function planWith(
  desired: Desired,
  observed: Observed,
  targets: readonly UnitRef[],
  changeOf: (node: UnitNode) => UnitChange | undefined,
): UnitPlan {
  const graph = graphUnits(desired.spec, observed);
  const changes = new Map<string, UnitChange>();
  for (const [key, node] of pick(graph, targets)) {
    const change = inRunningCell(node) ? changeOf(node) : undefined;
    if (change !== undefined) changes.set(key, change);
  }
  addDependencies(graph, changes, new Set(desired.stopped));
  return planUnits(graph, changes);
}

/** By its state alone: that its manifest has changed is nothing a start sees to. */
function startChange({ seen }: UnitNode): UnitChange | undefined {
  return wishByState(seen);
}

function restartChange(node: UnitNode): UnitChange {
  const reason = "restarted by operator";
  return isLive(node) ? restartOf(node, reason) : { kind: "change", start: reason };
}

/** Adds the starts of what the changes wait for. Dependents come first on the way back, so one pass is enough. */
function addDependencies(
  graph: UnitGraph,
  changes: Map<string, UnitChange>,
  stopped: ReadonlySet<string>,
): void {
  for (const [key, node] of [...graph].reverse()) {
    const change = changes.get(key);
    if (change === undefined || change.kind === "await") continue;
    for (const dependency of afterOf(node).map(unitKey)) {
      const needed = graph.get(dependency);
      if (needed === undefined || changes.has(dependency) || stopped.has(dependency)) continue;
      const wish = inRunningCell(needed) ? wishByState(needed.seen) : undefined;
      if (wish?.kind === "change") changes.set(dependency, wish);
    }
  }
}

function inRunningCell({ spec, cell }: UnitNode): boolean {
  return spec !== undefined && cell?.state === "running";
}

function pick(
  graph: UnitGraph,
  targets: readonly UnitRef[],
): readonly (readonly [string, UnitNode])[] {
  const keys = new Set(targets.map(unitKey));
  return [...graph].filter(
    ([key, { cell }]) => keys.has(key) && cell !== undefined && !isUntouchable(cell),
  );
}
