// What a plan does to units: the changes asked for, cut down to those that can be done, then put in order as steps.

import type { Step, UnitRef, UnitSpec } from "../spec/index.js";

import { formatMs } from "./text.js";
import { afterOf, isComing, isUp } from "./unit-node.js";
import type { UnitGraph, UnitNode } from "./unit-node.js";
import { unitKey } from "./unit-ref.js";

/** Each value is the reason. */
export type UnitChange =
  /** It is on its way; waited for at the end. */
  | { readonly kind: "await"; readonly reason: string }
  /** What runs stays, supervised in another way; `await`: it is on its way too. */
  | { readonly kind: "adjust"; readonly reason: string; readonly await?: string }
  /** Stopped and started again, or handed over; left alone where it could not be started. */
  | { readonly kind: "restart"; readonly reason: string; readonly way: RestartWay }
  /** Stopped, started or both; with neither it goes with its cell. */
  | { readonly kind: "change"; readonly stop?: string; readonly start?: string };

/**
 * together: stopped with all others that are, dependents first. alone: in its turn among the starts. hand-over: likewise,
 * by a run beside the one there is. The last two need all they wait for to stay up.
 */
export type RestartWay = "together" | "alone" | "hand-over";

export type UnitChanges = ReadonlyMap<string, UnitChange>;

/** A unit that cannot be started, and the first of what it waits for that will not be up. */
export interface BlockedStart {
  readonly unit: UnitRef;
  readonly needs: UnitRef;
}

export interface UnitPlan {
  /** Dependents before what they depend on. */
  readonly stops: readonly Step[];
  /**
   * First what is adjusted; then each start preceded by what must be awaited for it and was not yet; at the end all others
   * are awaited.
   */
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
  const shaken = new Set<string>(); // stopped, or waits for what is
  for (const [key, node] of graph) {
    const isShaken = afterOf(node).some((dependency) => shaken.has(unitKey(dependency)));
    const wish = isShaken ? stoppedFirst(asked.get(key)) : asked.get(key);
    if (isShaken || stopReason(wish) !== undefined || wayOf(wish) === "alone") shaken.add(key);
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

/** Without what it waits for, a run that stays would only answer with errors; held sockets let clients wait. */
function stoppedFirst(change: UnitChange | undefined): UnitChange | undefined {
  return change?.kind === "restart" ? { ...change, way: "together" } : change;
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
    const reason = stopReason(changes.get(key));
    return reason === undefined ? [] : [{ kind: "stop", ...ref, reason }];
  });
}

function planStarts(graph: UnitGraph, changes: UnitChanges): readonly Step[] {
  const adjusts = [...graph].flatMap(([key, node]) => adjustStep(node, changes.get(key)));
  const starts = [...graph].flatMap(([key, node]) => startSteps(key, node, graph, changes));
  const awaits = [...graph].flatMap(([key, node]) => lastAwait(node, changes.get(key)));
  return tidy([...adjusts, ...starts, ...awaits]);
}

/** Before anything is started: what is awaited then is asked for in the new way. */
function adjustStep({ ref, spec }: UnitNode, change: UnitChange | undefined): readonly Step[] {
  if (change?.kind !== "adjust" || spec === undefined) return [];
  return [{ kind: "adjust", ...ref, spec, reason: change.reason }];
}

/** What must be up first is awaited, then the unit is started in its way. */
function startSteps(
  key: string,
  { ref, spec, ...node }: UnitNode,
  graph: UnitGraph,
  changes: UnitChanges,
): readonly Step[] {
  const reason = startReason(changes.get(key));
  if (reason === undefined || spec === undefined) return [];
  const awaits = afterOf({ ref, spec, ...node })
    .filter((dependency) => !isUpAlready(dependency, graph, changes))
    .map((dependency) => awaitStep(dependency, `${key} starts after it`));
  const start: Step = { kind: "start", ...ref, spec, reason };
  switch (wayOf(changes.get(key))) {
    case undefined:
    case "together":
      return [...awaits, start];
    case "alone": {
      const stop: Step = { kind: "stop", ...ref, reason };
      return [...awaits, ...pauseBefore(ref, spec), stop, start, awaitStep(ref, UNTIL_READY)];
    }
    case "hand-over":
      return [...awaits, ...pauseBefore(ref, spec), { kind: "hand-over", ...ref, spec, reason }];
  }
}

const UNTIL_READY = "until it is ready";

function awaitStep(ref: UnitRef, reason: string): Step {
  return { kind: "await", ...ref, reason };
}

function pauseBefore(ref: UnitRef, { restart: { staggerMs } }: UnitSpec): readonly Step[] {
  if (staggerMs === undefined) return [];
  const reason = `up to ${formatMs(staggerMs)}, so that not all clients come back at once`;
  return [{ kind: "pause", ...ref, upToMs: staggerMs, reason }];
}

function lastAwait({ ref, spec }: UnitNode, change: UnitChange | undefined): readonly Step[] {
  if (change?.kind === "await") return [awaitStep(ref, change.reason)];
  if (change?.kind === "adjust")
    return change.await === undefined ? [] : [awaitStep(ref, change.await)];
  if (startReason(change) === undefined) return [];
  return [awaitStep(ref, spec?.oneShot === true ? "until it is done" : UNTIL_READY)];
}

/** Each unit is awaited once, one that was handed over is ready already, and nobody pauses before the first turn. */
function tidy(steps: readonly Step[]): readonly Step[] {
  const ready = new Set<string>();
  const firstPause = steps.findIndex(({ kind }) => kind === "pause");
  return steps.filter((step, index) => {
    if (step.kind !== "await" && step.kind !== "hand-over") return index !== firstPause;
    const isNews = !ready.has(unitKey(step));
    ready.add(unitKey(step));
    return isNews;
  });
}

function isUpAlready(dependency: UnitRef, graph: UnitGraph, changes: UnitChanges): boolean {
  const node: UnitNode | undefined = graph.get(unitKey(dependency));
  const change = changes.get(unitKey(dependency));
  const stays = change === undefined || change.kind === "adjust" || wayOf(change) === "hand-over";
  return node !== undefined && isUp(node) && stays;
}

function startReason(change: UnitChange | undefined): string | undefined {
  if (change?.kind === "restart") return change.reason;
  return change?.kind === "change" ? change.start : undefined;
}

/** Why it is stopped before anything is started. */
function stopReason(change: UnitChange | undefined): string | undefined {
  if (change?.kind === "change") return change.stop;
  return change?.kind === "restart" && change.way === "together" ? change.reason : undefined;
}

function wayOf(change: UnitChange | undefined): RestartWay | undefined {
  return change?.kind === "restart" ? change.way : undefined;
}
