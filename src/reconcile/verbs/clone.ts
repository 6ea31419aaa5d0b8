// A clone: a monolith made of another one's snapshot, that starts beside it and reaches nobody.

import { HengeError } from "../../errors.js";
import { choosePorts, cloneSpec, planMonolith } from "../../plan/index.js";
import type {
  CellName,
  MonolithName,
  MonolithSpec,
  PublishSpec,
  SnapshotName,
  SnapshotStatus,
} from "../../spec/index.js";

import { refuseUnfitBudgets } from "../admission/budgets.js";
import type { Context, Report } from "../context.js";
import { refuseTakenPorts } from "../admission/desire.js";
import { refuseHalted } from "./halt.js";
import { wholeMonolith } from "./targets.js";

export interface CloneOptions {
  readonly cell: CellName;
  readonly snapshot: SnapshotName;
  readonly name: MonolithName;
  /** In the place of the original's; chosen among what is free when empty. */
  readonly publish: readonly PublishSpec[];
}

/**
 * Returns when the clone's units are ready.
 * @throws {HengeError} SNAPSHOT_NOT_FOUND · CELL_EXISTS: the name is in use · WRONG_STATE: the original is not on record ·
 * OVER_CAPACITY: this host has not the memory for both
 */
export async function clone(
  context: Context,
  options: CloneOptions,
  requestId: string,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const { cell, name, snapshot } = options;
  const from = await wholeMonolith(context, cell, "clone");
  const request = {
    id: requestId,
    verb: `clone ${from} ${snapshot}`,
    monolith: name,
    target: name,
  };
  await context.change(request, async () => {
    await refuseHalted(context, "clone it");
    await refuseNameInUse(context, name);
    const original = await declared(context, from);
    await context.images.keep(original.images, () =>
      cloneOriginal(context, original, options, report, signal),
    );
  });
}

async function cloneOriginal(
  context: Context,
  original: MonolithSpec,
  { name, snapshot, publish }: CloneOptions,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const from = { monolith: original.name, snapshot };
  const { found } = await context.ports.snapshots.find(from.monolith, snapshot);
  refuseMissingParts(original, found);
  const spec = cloneSpec(original, name, await portsOf(context, original, publish));
  const stored = await context.ports.store.list();
  refuseTakenPorts(spec, stored);
  await refuseUnfitBudgets(spec, stored, context.ports.host, report);
  await context.ports.volumes.clone(from, name, spec.volumes, signal);
  for (const volume of spec.volumes) report({ kind: "note", text: `cloned volume ${volume.name}` });
  // On record only now: a daemon killed before must not make empty volumes for it.
  const desired = { spec, stopped: [] };
  await context.ports.store.write(desired);
  const steps = planMonolith(desired, await context.observe(name), context.planFacts);
  for (const { hostAddress, hostPort, cellPort } of spec.cells[0]?.publish ?? [])
    report({
      kind: "note",
      text: `${hostAddress}:${String(hostPort)} leads to ${name}:${String(cellPort)}`,
    });
  await context.execute(name, steps, report, signal);
}

async function declared(context: Context, monolith: MonolithName): Promise<MonolithSpec> {
  const desired = await context.desired(monolith);
  if (desired !== undefined) return desired.spec;
  throw new HengeError("WRONG_STATE", `cannot clone ${monolith}: its manifest is not on record`, {
    hint: "henge up FILE, then clone it",
  });
}

async function refuseNameInUse(context: Context, name: MonolithName): Promise<void> {
  const [known, keepers] = await Promise.all([
    context.monoliths(),
    context.ports.volumes.listMonoliths(),
  ]);
  if (!known.includes(name) && !keepers.includes(name)) return;
  const what = known.includes(name) ? "there is a cell of that name" : "it has volumes in the pool";
  throw new HengeError("CELL_EXISTS", `cannot make ${name}: ${what}`, {
    hint: `choose another name, or henge down ${name} --destroy-data`,
  });
}

function refuseMissingParts(spec: MonolithSpec, snapshot: SnapshotStatus): void {
  const parts = new Set(snapshot.volumes.map(({ volume }) => volume));
  const missing = spec.volumes.filter(({ name }) => !parts.has(name)).map(({ name }) => name);
  if (missing.length === 0) return;
  throw new HengeError(
    "WRONG_STATE",
    `cannot clone ${spec.name}: snapshot ${snapshot.name} has no volume ${missing.join(", ")}`,
    { hint: "take a new snapshot, and clone that" },
  );
}

async function portsOf(
  { ports }: Context,
  original: MonolithSpec,
  asked: readonly PublishSpec[],
): Promise<readonly PublishSpec[]> {
  if (asked.length > 0) return asked;
  const stored = await ports.store.list();
  const published = stored.flatMap((one) =>
    "desired" in one ? one.desired.spec.cells.flatMap(({ publish }) => publish) : [],
  );
  const listening = await ports.host.listeningPorts();
  const chosen = choosePorts(original.cells[0]?.publish ?? [], { listening, published });
  if (chosen !== undefined) return chosen;
  throw new HengeError(
    "OVER_CAPACITY",
    `cannot clone ${original.name}: no port of the host is free`,
    {
      hint: "name its ports with --publish",
    },
  );
}
