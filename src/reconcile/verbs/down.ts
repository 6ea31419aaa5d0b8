// Down: a monolith is stopped and freed, and its manifest forgotten; its volumes go only when somebody says so.

import { HengeError } from "../../errors.js";
import type { CellName, CellStatus, MonolithName } from "../../spec/index.js";
import { isSnapshotName, monolithOf, parentOf } from "../../spec/index.js";

import { cellNotFound } from "../admission/targets.js";
import { note } from "../change/change.js";
import type { Change } from "../change/change.js";
import { observeCells } from "../observe.js";
import { reach } from "../change/reach.js";
import { refuseClonedFrom, snapshotBefore } from "../change/snapshots.js";
import type { Verb } from "../change/verb.js";
import type { Context } from "../context.js";
import type { RequestOf } from "../control.js";

interface Kept {
  readonly destroyData: boolean;
}

export const down: Verb<RequestOf<"down">, Kept> = {
  title: ({ destroyData }) => (destroyData ? "down, destroying data" : "down"),
  admits: {
    whileHalted: true,
    interrupts: ["up", "start", "restart", "clone"],
    needsPool: false,
    finishesRollback: false,
  },
  aim: async (context, { cell }) => ({ monolith: await freeable(context, cell), target: cell }),
  prepare: async (change, { destroyData }) => {
    const { context, monolith, report, signal } = change;
    refuseFrozen(await observeCells(context.ports, context.cells, monolith));
    if (destroyData) await refuseClonedFrom(context, monolith);
    else
      await snapshotBefore(
        context,
        "down",
        (await context.desired(monolith))?.spec,
        report,
        signal,
      );
    return { destroyData };
  },
  carryOut: takeDown,
};

/** Each act of it does nothing when it was done: a daemon that was killed on the way begins it again. */
async function takeDown(change: Change, { destroyData }: Kept): Promise<void> {
  const { context, monolith, signal } = change;
  const { store, network } = context.ports;
  await reach(change, { kind: "nothing" });
  await network.sweep(context.cells.names());
  for (const name of context.blocked.keys())
    if (monolithOf(name) === monolith) context.blocked.delete(name);
  // Only now: what runs is on record for as long as it runs.
  await store.remove(monolith);
  if (destroyData) await destroyVolumes(change);
  await context.images.dropOld(signal);
}

function refuseFrozen(cells: readonly CellStatus[]): void {
  const frozen = cells.find(({ state }) => state === "frozen");
  if (frozen === undefined) return;
  throw new HengeError("WRONG_STATE", `cannot free ${frozen.name}: it is frozen`, {
    hint: `henge thaw ${frozen.name}`,
  });
}

/** @throws {HengeError} CELL_NOT_FOUND; WRONG_STATE: a nested cell, which only its manifest can remove */
async function freeable(context: Context, cell: CellName): Promise<MonolithName> {
  const monolith = monolithOf(cell);
  const known = await context.monoliths();
  // One that is on its way, or did not get there, is taken back.
  const isKnown =
    known.includes(monolith) ||
    context.operations.isUnderWay(monolith) ||
    context.notReached(monolith) !== undefined;
  if (!isKnown && !(await hasVolumes(context, monolith))) {
    throw cellNotFound(
      cell,
      known.map((name) => ({ name: name as string as CellName })),
    );
  }
  if (parentOf(cell) !== undefined) {
    throw new HengeError("WRONG_STATE", `cannot free ${cell}: it is part of ${monolith}`, {
      hint: `remove it from the manifest and apply that, stop it with henge stop ${cell}, or free all with henge down ${monolith}`,
    });
  }
  return monolith;
}

async function hasVolumes({ ports }: Context, monolith: MonolithName): Promise<boolean> {
  const keepers = await ports.volumes.listMonoliths().catch((): readonly MonolithName[] => []);
  return keepers.includes(monolith);
}

async function destroyVolumes(change: Change): Promise<void> {
  const { context, monolith, signal } = change;
  const { volumes, snapshots } = context.ports;
  for (const { name } of await snapshots.list(monolith))
    if (isSnapshotName(name)) await snapshots.destroy(monolith, name, signal);
  for (const { name } of await volumes.list(monolith)) {
    await volumes.destroy(monolith, name, signal);
    note(change, `destroyed volume ${name}`);
  }
  await volumes.forget(monolith);
}
