// What a plan does to units: the changes asked for, cut down to those that can be done, then put in order as steps.

import type { Step, UnitRef } from "../spec/index.js";

import { afterOf, isComing, isUp } from "./unit-node.js";
import type { UnitGraph, UnitNode } from "./unit-node.js";
import { unitKey } from "./unit-ref.js";

/** Each value is the reason. */
export type UnitChange =
  /** It is on its way; waited for at the end. */
  | { readonly kind: "await"; readonly reason: string }
  /** Stopped and started again; left alone where it could not be started. */
  | { readonly kind: "restart"; readonly reason: string }
  /** Stopped, started or both; with neither it goes with its cell. */
  | { readonly kind: "change"; readonly stop?: string; readonly start?: string };

export type UnitChanges = ReadonlyMap<string, UnitChange>;

/** A unit that cannot be started, and the first of what it waits for that will not be up. */
export interface BlockedStart {
  readonly unit: UnitRef;
  readonly needs: UnitRef;
}

export interface UnitPlan {
  /** Dependents before what they depend on. */
  readonly stops: readonly Step[];
  /** Each start preceded by what must be awaited for it and was not yet; at the end all others are awaited. */
  readonly starts: readonly Step[];
  readonly blocked: readonly BlockedStart[];
}

export function planUnits(graph: UnitGraph, asked: UnitChanges): UnitPlan {
  const { changes, blocked } = settle(graph, asked);
  return { stops: planStops(graph, changes), starts: planStarts(graph, changes), blocked };
}

/** Leaves out the starts whose dependencies will not be up, and what follows from that. */
function settle(
  graph: UnitGraph,
  asked: UnitChanges,
): { changes: UnitChanges; blocked: readonly BlockedStart[] } {
  const changes = new Map<string, UnitChange>();
  const blocked: BlockedStart[] = [];
  const hopeful = new Set<string>(); // up, or will be
  for (const [key, node] of graph) {
    const wish = asked.get(key);
    const needs = startsIt(wish)
      ? afterOf(node).find((dependency) => !hopeful.has(unitKey(dependency)))
      : undefined;
    const change = needs === undefined ? wish : withoutStart(wish);
    if (needs !== undefined) blocked.push({ unit: node.ref, needs });
    if (change !== undefined) changes.set(key, change);
    if (willBeUp(node, change)) hopeful.add(key);
  }
  return { changes, blocked };
}

function willBeUp(node: UnitNode, change: UnitChange | undefined): boolean {
  return startsIt(change) || (change?.kind !== "change" && (isUp(node) || isComing(node)));
}

function startsIt(change: UnitChange | undefined): boolean {
  return change?.kind === "restart" || (change?.kind === "change" && change.start !== undefined);
}

function withoutStart(change: UnitChange | undefined): UnitChange | undefined {
  if (change?.kind !== "change") return undefined;
  return { kind: "change", ...(change.stop === undefined ? {} : { stop: change.stop }) };
}

function planStops(graph: UnitGraph, changes: UnitChanges): readonly Step[] {
  return [...graph].reverse().flatMap(([key, { ref }]): readonly Step[] => {
    const change = changes.get(key);
    const reason = change?.kind === "change" ? change.stop : restartReason(change);
    return reason === undefined ? [] : [{ kind: "stop", ...ref, reason }];
  });
}

function planStarts(graph: UnitGraph, changes: UnitChanges): readonly Step[] {
  const steps: Step[] = [];
  const awaited = new Set<string>();
  const awaitOnce = (ref: UnitRef, reason: string): void => {
    if (!awaited.has(unitKey(ref))) steps.push({ kind: "await", ...ref, reason });
    awaited.add(unitKey(ref));
  };
  for (const [key, node] of graph) {
    const reason = startReason(changes.get(key));
    if (reason === undefined || node.spec === undefined) continue;
    for (const dependency of afterOf(node)) {
      if (!isUpAlready(dependency, graph, changes)) awaitOnce(dependency, `${key} starts after it`);
    }
    steps.push({ kind: "start", ...node.ref, spec: node.spec, reason });
  }
  for (const [key, node] of graph) {
    const change = changes.get(key);
    if (change?.kind === "await") awaitOnce(node.ref, change.reason);
    else if (startReason(change) !== undefined)
      awaitOnce(node.ref, node.spec?.oneShot === true ? "until it is done" : "until it is ready");
  }
  return steps;
}

function isUpAlready(dependency: UnitRef, graph: UnitGraph, changes: UnitChanges): boolean {
  const node: UnitNode | undefined = graph.get(unitKey(dependency));
  return node !== undefined && isUp(node) && !changes.has(unitKey(dependency));
}

function startReason(change: UnitChange | undefined): string | undefined {
  return change?.kind === "change" ? change.start : restartReason(change);
}

function restartReason(change: UnitChange | undefined): string | undefined {
  return change?.kind === "restart" ? change.reason : undefined;
}
