// Start, stop, restart, freeze and thaw: what an operator does to cells and units that are declared.

import { isDeepStrictEqual } from "node:util";

import { HengeError } from "../../errors.js";
import {
  blockedStarts,
  planMonolith,
  planRestart,
  planStart,
  planStop,
  unitKey,
} from "../../plan/index.js";
import type { CellName, Desired, MonolithName, Observed, Step, UnitRef } from "../../spec/index.js";
import { monolithOf } from "../../spec/index.js";

import type { Context, Report } from "../context.js";
import type { Target } from "../control.js";
import { refuseHalted } from "./halt.js";
import { finishRollback } from "./rollback.js";
import { snapshotBefore } from "./snapshots.js";
import { cellNotFound, expandTarget, isWithin } from "./targets.js";

type Verb = "start" | "stop" | "restart";

export async function changeRunState(
  context: Context,
  verb: Verb,
  target: Target,
  requestId: string,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const monolith = monolithOf(target.cell);
  const text = target.unit === undefined ? target.cell : `${target.cell}:${target.unit}`;
  await context.change({ id: requestId, verb, monolith, target: text }, async () => {
    if (verb !== "stop") await refuseHalted(context, verb);
    if (verb !== "stop") await finishRollback(context, monolith, signal);
    const desired = await declared(context, target.cell);
    const units = expandTarget(desired.spec, target);
    const wanted = { ...desired, stopped: stoppedAfter(verb, desired.stopped, units) };
    const observed = await observeFor(context, verb, monolith, units);
    refuseFrozen(observed, units);
    const steps = planVerb(context, verb, wanted, observed, units);
    if (verb !== "stop") tellBlocked(verb, wanted, observed, units, report);
    if (steps.length > 0) await snapshotBefore(context, verb, desired.spec, report, signal);
    // On record first: a daemon killed on the way must not start again what it was told to stop.
    if (!isDeepStrictEqual(wanted, desired)) await context.ports.store.write(wanted);
    await context.execute(monolith, steps, report, signal);
    if (verb === "stop") await freeUnsupervised(context, target.cell, report, signal);
  });
}

/** Pool and network are asked only when a cell must be allocated first. */
async function observeFor(
  context: Context,
  verb: Verb,
  monolith: MonolithName,
  units: readonly UnitRef[],
): Promise<Observed> {
  const observed = await context.observeRunState(monolith);
  if (verb === "stop" || areAllocated(observed, units)) return observed;
  return context.observe(monolith);
}

function areAllocated(observed: Observed, units: readonly UnitRef[]): boolean {
  const allocated = new Set(
    observed.cells.filter(({ state }) => state !== "unsupervised").map(({ name }) => name),
  );
  return units.every(({ cell }) => allocated.has(cell));
}

function planVerb(
  context: Context,
  verb: Verb,
  desired: Desired,
  observed: Observed,
  units: readonly UnitRef[],
): readonly Step[] {
  if (verb === "stop") {
    const steps = planStop(desired, observed, units);
    return steps.filter((step) => !("cell" in step && context.cells.isUnsupervised(step.cell)));
  }
  if (!areAllocated(observed, units)) {
    return planMonolith(desired, observed, context.planFacts);
  }
  return verb === "start"
    ? planStart(desired, observed, units)
    : planRestart(desired, observed, units);
}

function tellBlocked(
  verb: "start" | "restart",
  desired: Desired,
  observed: Observed,
  units: readonly UnitRef[],
  report: Report,
): void {
  for (const { unit, needs } of blockedStarts(verb, desired, observed, units)) {
    report({
      kind: "note",
      text: `${unitKey(unit)} is left alone: it needs ${unitKey(needs)}, which will not be up`,
    });
  }
}

function stoppedAfter(
  verb: Verb,
  stopped: readonly string[],
  units: readonly UnitRef[],
): readonly string[] {
  const named = units.map(unitKey);
  const others = stopped.filter((key) => !named.includes(key));
  return verb === "stop" ? [...others, ...named] : others;
}

async function declared(context: Context, cell: CellName): Promise<Desired> {
  const desired = await context.desired(monolithOf(cell));
  if (desired !== undefined) return desired;
  throw cellNotFound(cell, await context.view(monolithOf(cell)));
}

/** Without a warden nobody can run stop steps: the cell's cgroup is killed, and it is freed with all nested in it. */
async function freeUnsupervised(
  { cells }: Context,
  root: CellName,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const within = cells.names().filter((name) => isWithin(name, root));
  const gone = within.filter((cell) => cells.isUnsupervised(cell));
  for (const cell of within.filter((name) => gone.some((lost) => isWithin(name, lost))).reverse()) {
    report({
      kind: "note",
      text: `freeing ${cell}${gone.includes(cell) ? ", which has no warden: killing what runs in it" : ""}`,
    });
    await cells.free(cell, signal);
  }
}

function refuseFrozen(observed: Observed, units: readonly UnitRef[]): void {
  const frozen = observed.cells.find(
    ({ name, state }) => state === "frozen" && units.some(({ cell }) => cell === name),
  );
  if (frozen === undefined) return;
  throw new HengeError("WRONG_STATE", `cannot change units of ${frozen.name}: it is frozen`, {
    hint: `henge thaw ${frozen.name}`,
  });
}

/** A cell with all that is nested in it: the kernel freezes subtrees. @see cgroup.freeze in the cgroup v2 document */
export async function setFrozen(
  context: Context,
  cell: CellName,
  frozen: boolean,
  requestId: string,
  signal: AbortSignal,
): Promise<void> {
  const verb = frozen ? "freeze" : "thaw";
  await context.change(
    { id: requestId, verb, monolith: monolithOf(cell), target: cell },
    async () => {
      if (!context.cells.names().includes(cell))
        throw cellNotFound(cell, await context.view(monolithOf(cell)));
      await context.ports.cgroups.setFrozen(cell, frozen, signal);
      context.ports.events.emit({ kind: "cell-state", state: frozen ? "frozen" : "running" }, cell);
    },
  );
}
