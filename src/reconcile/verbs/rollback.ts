// Rollback: the volumes become what they were in a snapshot, all of them or, after a crash, all of them a little later.

import { HengeError } from "../../errors.js";
import { planMonolith, unitKey } from "../../plan/index.js";
import type {
  CellName,
  MonolithName,
  Observed,
  SnapshotName,
  SnapshotStatus,
} from "../../spec/index.js";
import { keptByClone } from "../../spec/index.js";

import type { Context, Report } from "../context.js";
import { wholeMonolith } from "./targets.js";
import { ENDED } from "../cells/waiters.js";

/**
 * Frees the cells and rolls the volumes back; nothing is started.
 * @throws {HengeError} SNAPSHOT_NOT_FOUND · WRONG_STATE: a unit runs, or a clone needs a snapshot that would go
 */
export async function rollBack(
  context: Context,
  cell: CellName,
  name: SnapshotName,
  requestId: string,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const monolith = await wholeMonolith(context, cell, "roll back");
  const request = { id: requestId, verb: `rollback ${name}`, monolith, target: monolith };
  await context.change(request, async () => {
    const { found, later } = await context.ports.snapshots.find(monolith, name);
    refuseCloned(`roll back ${monolith} to ${name}`, later);
    const observed = await context.observe(monolith);
    refuseRunning(monolith, observed);
    tellLosses(found, later, observed, report);
    await free(context, monolith, observed, report, signal);
    await context.ports.snapshots.rollBack(monolith, name, signal);
    tellRolledBack(context, monolith, name);
    report({ kind: "note", text: `${monolith} is what it was in ${name}` });
  });
}

/** Goes on with a rollback that was begun, if one was. */
export async function finishRollback(
  context: Context,
  monolith: MonolithName,
  signal: AbortSignal,
): Promise<void> {
  const name = await context.ports.snapshots.finishRollback(monolith, signal);
  if (name !== undefined) tellRolledBack(context, monolith, name);
}

function tellRolledBack({ ports }: Context, monolith: MonolithName, name: SnapshotName): void {
  ports.events.emit({ kind: "snapshot", name, what: "rolled-back" }, monolith);
}

/** @throws {HengeError} WRONG_STATE: a clone needs one of these snapshots */
export function refuseCloned(act: string, snapshots: readonly SnapshotStatus[]): void {
  const kept = keptByClone(snapshots);
  if (kept === undefined) return;
  throw new HengeError("WRONG_STATE", `cannot ${act}: ${kept.why}`, { hint: kept.hint });
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
  report: Report,
): void {
  const tell = (text: string): void => {
    report({ kind: "note", text });
  };
  if (found.reason !== undefined) tell(`snapshot ${found.name} is not consistent: ${found.reason}`);
  for (const { name } of later) tell(`destroying snapshot ${name}, which is later`);
  const parts = new Set(found.volumes.map(({ volume }) => volume));
  for (const { name } of volumes.filter((volume) => !parts.has(volume.name)))
    tell(`volume ${name} stays as it is: ${found.name} does not have it`);
}

/** Nothing may have a volume mounted that is about to be another. */
async function free(
  context: Context,
  monolith: MonolithName,
  observed: Observed,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const steps = planMonolith(undefined, observed, context.planFacts);
  await context.execute(monolith, steps, report, signal);
  await context.ports.network.sweep(context.cells.names());
}
