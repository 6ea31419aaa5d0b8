// Snapshots of a whole monolith: taken while nothing of it runs, also by themselves before a change.

import { HengeError } from "../../errors.js";
import type {
  CellName,
  MonolithName,
  MonolithSpec,
  SnapshotName,
  SnapshotStatus,
} from "../../spec/index.js";
import { keptByClone, monolithOf } from "../../spec/index.js";

import type { Context } from "../context.js";
import type { Report } from "../control.js";

/** @throws {HengeError} WRONG_STATE: a clone needs one of these snapshots */
export function refuseCloned(act: string, snapshots: readonly SnapshotStatus[]): void {
  const kept = keptByClone(snapshots);
  if (kept === undefined) return;
  throw new HengeError("WRONG_STATE", `cannot ${act}: ${kept.why}`, { hint: kept.hint });
}

/** @throws {HengeError} WRONG_STATE: a clone needs what is about to be destroyed */
export async function refuseClonedFrom({ ports }: Context, monolith: MonolithName): Promise<void> {
  refuseCloned(`destroy the data of ${monolith}`, await ports.snapshots.list(monolith));
}

/** Where the pool needs several acts for several volumes, nothing of the monolith runs meanwhile. */
export async function takeHeld(
  context: Context,
  monolith: MonolithName,
  name: SnapshotName,
  signal: AbortSignal,
): Promise<void> {
  const { pool, snapshots, events } = context.ports;
  const take = (): Promise<void> => snapshots.take(monolith, name, signal);
  const cells = context.cells.names().filter((cell) => monolithOf(cell) === monolith);
  if (pool.isOneInstant || cells.length === 0) await take();
  else await takeWhileHeld(context, monolith, name, take, signal);
  events.emit({ kind: "snapshot", name, what: "taken" }, monolith);
}

async function takeWhileHeld(
  { ports }: Context,
  monolith: MonolithName,
  name: SnapshotName,
  take: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  // Every nested cell's cgroup is inside the root cell's.
  const directory = ports.cgroups.directoryOf(monolith as string as CellName);
  const hold = await ports.holdStill(directory);
  const wasHeld = await take().then(
    () => hold.release(),
    async (error: unknown) => {
      await hold.release();
      throw error;
    },
  );
  if (wasHeld) return;
  await ports.snapshots.destroy(monolith, name, signal);
  throw new HengeError(
    "DEADLINE",
    `cannot take snapshot ${name} of ${monolith}: the pool took longer than its cells may stand still`,
    { hint: "try again when the disk has less to write" },
  );
}

const AUTOMATIC = /^before-([a-z]+)-\d{8}-\d{6}-\d{3}$/;
const RUN = "run";

/**
 * What the manifest asks for before a change of it. There is no change without it.
 * @param spec of what is there now
 */
export async function snapshotBefore(
  context: Context,
  verb: string,
  spec: MonolithSpec | undefined,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  if (spec?.snapshots?.beforeChanges !== true) return;
  const { volumes, clock } = context.ports;
  if ((await volumes.list(spec.name)).length === 0) return;
  const name = automaticName(verb, clock.now());
  await takeHeld(context, spec.name, name, signal);
  report({ kind: "note", text: `took snapshot ${name}` });
  await dropOld(context, spec.name, verb, spec.snapshots.keep, signal);
}

/** A one-off may change as much as any verb does. */
export async function snapshotBeforeRun(
  context: Context,
  monolith: MonolithName,
  signal: AbortSignal,
): Promise<void> {
  const spec = (await context.desired(monolith))?.spec;
  if (spec?.snapshots?.beforeChanges !== true) return;
  await context.beforeRun(monolith, () =>
    snapshotBefore(context, RUN, spec, () => undefined, signal),
  );
}

export function automaticName(verb: string, nowMs: number): SnapshotName {
  const digits = new Date(nowMs).toISOString().replace(/[-:Z]/g, "").replace(/[T.]/g, "-");
  return `before-${verb}-${digits}` as SnapshotName;
}

/**
 * Those a clone needs stay, and so do those somebody has named. Those before a run count by themselves: one-offs by the
 * hour leave what was before an `up`.
 */
export async function dropOld(
  { ports }: Context,
  monolith: MonolithName,
  verb: string,
  keep: number,
  signal: AbortSignal,
): Promise<void> {
  const automatic = (await ports.snapshots.list(monolith)).filter(({ name }) => {
    const before = AUTOMATIC.exec(name)?.[1];
    return before !== undefined && (before === RUN) === (verb === RUN);
  });
  const old = automatic.slice(0, Math.max(0, automatic.length - keep));
  for (const { name } of old.filter(({ clones }) => clones.length === 0))
    await ports.snapshots.destroy(monolith, name as SnapshotName, signal);
}
