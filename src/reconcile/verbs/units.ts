// Start, stop and restart: what an operator does to units that are declared.

import { isDeepStrictEqual } from "node:util";

import { HengeError } from "../../errors.js";
import { blockedStarts, unitKey } from "../../plan/index.js";
import type { CellName, CellStatus, Desired, Observed, UnitRef } from "../../spec/index.js";
import { monolithOf } from "../../spec/index.js";

import { cellNotFound, expandTarget, isWithin } from "../admission/targets.js";
import { note } from "../change/change.js";
import type { Change, Planned } from "../change/change.js";
import { observeCells } from "../observe.js";
import { planAsked, reach } from "../change/reach.js";
import { snapshotBefore } from "../change/snapshots.js";
import type { Preconditions, Verb } from "../change/verb.js";
import type { Context } from "../context.js";
import type { RequestOf, Target } from "../control.js";

type UnitVerb = "start" | "stop" | "restart";

interface Kept {
  readonly target: Target;
  readonly units: readonly UnitRef[];
  /** What is desired from now on. */
  readonly wanted: Desired;
  readonly isChanged: boolean;
  /** The processes before, by `CELL:UNIT`: a restart that was cut short leaves alone what is another by now. */
  readonly pids: Readonly<Record<string, number>>;
}

export const start = unitVerb("start", {
  whileHalted: { act: "start" },
  interrupts: [],
  needsPool: false,
  finishesRollback: true,
});
export const restart = unitVerb("restart", {
  whileHalted: { act: "restart" },
  interrupts: [],
  needsPool: false,
  finishesRollback: true,
});
export const stop = unitVerb("stop", {
  whileHalted: true,
  interrupts: ["start", "restart"],
  needsPool: false,
  finishesRollback: false,
});

function unitVerb(verb: UnitVerb, admits: Preconditions): Verb<RequestOf<UnitVerb>, Kept> {
  return {
    admits,
    aim: (_context, { target }) => ({
      monolith: monolithOf(target.cell),
      target: target.unit === undefined ? target.cell : `${target.cell}:${target.unit}`,
    }),
    prepare: (change, { target }) => prepare(change, verb, target),
    carryOut: (change, kept) => carryOut(change, verb, kept),
    resume: (change, kept) => carryOut(change, verb, remaining(change, verb, kept)),
  };
}

async function prepare({ context, signal }: Change, verb: UnitVerb, target: Target): Promise<Kept> {
  const desired = await declared(context, target.cell);
  const units = expandTarget(desired.spec, target);
  const wanted = { ...desired, stopped: stoppedAfter(verb, desired.stopped, units) };
  const seen = await observeCells(context.ports, context.cells, desired.spec.name);
  refuseFrozen(seen, units);
  // A start stops nothing: it says itself what it lacks.
  if (verb === "restart")
    await planAsked(context, { kind: "units", verb, desired: wanted, units }, undefined, signal);
  const isChanged = !isDeepStrictEqual(wanted, desired);
  return { target, units, wanted, isChanged, pids: pidsOf(seen) };
}

async function carryOut(change: Change, verb: UnitVerb, kept: Kept): Promise<void> {
  const { context, report, signal } = change;
  const { wanted, units, target, isChanged } = kept;
  // Desired first: a daemon killed on the way must not start again what it was told to stop.
  let isRecorded = !isChanged;
  const record = async (): Promise<void> => {
    if (!isRecorded) await context.ports.store.write(wanted);
    isRecorded = true;
  };
  const first = async ({ observed }: Planned): Promise<void> => {
    if (verb !== "stop") tellBlocked(verb, wanted, observed, units, change);
    await snapshotBefore(context, verb, wanted.spec, report, signal);
    await record();
  };
  await reach(change, { kind: "units", verb, desired: wanted, units }, { first });
  await record();
  if (verb === "stop") await freeUnsupervised(change, target.cell);
}

/** What a former daemon has not come to. */
function remaining({ context }: Change, verb: UnitVerb, kept: Kept): Kept {
  if (verb !== "restart") return kept;
  const units = kept.units.filter(({ cell, unit }) => {
    const now = context.cells.get(cell)?.units.get(unit)?.status().pid;
    return now === undefined || now === kept.pids[unitKey({ cell, unit })];
  });
  return { ...kept, units };
}

function pidsOf(cells: readonly CellStatus[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    cells.flatMap(({ name: cell, units }) =>
      units.flatMap(({ name: unit, pid }) =>
        pid === undefined ? [] : [[unitKey({ cell, unit }), pid] as const],
      ),
    ),
  );
}

function tellBlocked(
  verb: "start" | "restart",
  desired: Desired,
  observed: Observed,
  units: readonly UnitRef[],
  change: Change,
): void {
  for (const { unit, needs } of blockedStarts(verb, desired, observed, units))
    note(
      change,
      `${unitKey(unit)} is left alone: it needs ${unitKey(needs)}, which will not be up`,
    );
}

function stoppedAfter(
  verb: UnitVerb,
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
async function freeUnsupervised(change: Change, root: CellName): Promise<void> {
  const { cells, allocator } = change.context;
  const within = cells.names().filter((name) => isWithin(name, root));
  const gone = within.filter((cell) => cells.isUnsupervised(cell));
  for (const cell of within.filter((name) => gone.some((lost) => isWithin(name, lost))).reverse()) {
    const why = gone.includes(cell) ? ", which has no warden: killing what runs in it" : "";
    note(change, `freeing ${cell}${why}`);
    await allocator.free(cell, change.signal);
  }
}

function refuseFrozen(cells: readonly CellStatus[], units: readonly UnitRef[]): void {
  const frozen = cells.find(
    ({ name, state }) => state === "frozen" && units.some(({ cell }) => cell === name),
  );
  if (frozen === undefined) return;
  throw new HengeError("WRONG_STATE", `cannot change units of ${frozen.name}: it is frozen`, {
    hint: `henge thaw ${frozen.name}`,
  });
}
