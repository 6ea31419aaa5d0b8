// Rollback: the volumes become what they were in a snapshot, all of them or, after a crash, all of them a little later.

import { HengeError } from "../../errors.js";
import { unitKey } from "../../plan/index.js";
import type { MonolithName, Observed, SnapshotName, SnapshotStatus } from "../../spec/index.js";

import { ENDED } from "../cells/waiters.js";
import { note } from "../change/change.js";
import type { Change } from "../change/change.js";
import { observe } from "../observe.js";
import { reach } from "../change/reach.js";
import { refuseCloned } from "../change/snapshots.js";
import type { Verb } from "../change/verb.js";
import type { RequestOf } from "../control.js";

interface Kept {
  readonly name: SnapshotName;
}

/** Frees the cells, rolls the volumes back, and has the cells stand again; nothing is started. */
export const rollback: Verb<RequestOf<"rollback">, Kept> = {
  title: ({ name }) => `rollback ${name}`,
  admits: { whileHalted: true, interrupts: [], needsPool: true, finishesRollback: false },
  aim: async (context, { cell }) => {
    const monolith = await context.wholeMonolith(cell, "roll back");
    return { monolith, target: monolith };
  },
  prepare: async (change, { name }) => {
    const { context, monolith } = change;
    const { found, later } = await context.ports.snapshots.find(monolith, name);
    refuseCloned(`roll back ${monolith} to ${name}`, later);
    const observed = await observe(context.ports, context.cells, monolith);
    refuseRunning(monolith, observed);
    tellLosses(found, later, observed, change);
    return { name };
  },
  carryOut: async (change, { name }) => {
    const { context, monolith, signal } = change;
    const { snapshots, network, events } = context.ports;
    await reach(change, { kind: "nothing" });
    await network.sweep(context.cells.names());
    await snapshots.rollBack(monolith, name, signal);
    events.emit({ kind: "snapshot", name, what: "rolled-back" }, monolith);
    note(change, `${monolith} is what it was in ${name}`);
    await standAgain(change);
  },
};

/** As after `henge stop`: the next daemon finds nothing to do either. */
async function standAgain(change: Change): Promise<void> {
  const { context, monolith } = change;
  const desired = await context.desired(monolith);
  if (desired === undefined || (await context.ports.haltMark.isSet())) return;
  const stopped = desired.spec.cells.flatMap(({ name: cell, units }) =>
    units.map(({ name: unit }) => unitKey({ cell, unit })),
  );
  const goal = { kind: "monolith", desired: { ...desired, stopped }, leaveFailed: true } as const;
  await reach(change, goal);
}

function refuseRunning(monolith: MonolithName, { cells }: Observed): void {
  for (const { name, state, units } of cells) {
    const running = units.find((unit) => !ENDED.has(unit.state));
    if (running === undefined && state !== "unsupervised") continue;
    const what =
      running === undefined
        ? `${name} has no warden`
        : `${unitKey({ cell: name, unit: running.name })} is ${running.state}`;
    throw new HengeError("WRONG_STATE", `cannot roll back ${monolith}: ${what}`, {
      hint: `henge stop ${monolith} first; nothing was changed`,
    });
  }
}

function tellLosses(
  found: SnapshotStatus,
  later: readonly SnapshotStatus[],
  { volumes }: Observed,
  change: Change,
): void {
  if (found.reason !== undefined)
    note(change, `snapshot ${found.name} is not consistent: ${found.reason}`);
  for (const { name } of later) note(change, `destroying snapshot ${name}, which is later`);
  const parts = new Set(found.volumes.map(({ volume }) => volume));
  for (const { name } of volumes.filter((volume) => !parts.has(volume.name)))
    note(change, `volume ${name} stays as it is: ${found.name} does not have it`);
}
