// A clone: a monolith made of another one's snapshot, that starts beside it and reaches nobody.

import { HengeError } from "../../errors.js";
import { choosePorts, cloneSpec } from "../../plan/index.js";
import type {
  MonolithName,
  MonolithSpec,
  PublishSpec,
  SnapshotName,
  SnapshotStatus,
} from "../../spec/index.js";

import { note } from "../change/change.js";
import type { Change } from "../change/change.js";
import { refuseUnfit } from "../change/preflight.js";
import { reach } from "../change/reach.js";
import { goBack } from "../change/return.js";
import type { Verb } from "../change/verb.js";
import { withDeadline } from "../clock.js";
import type { Context } from "../context.js";
import type { RequestOf } from "../control.js";

const CLEANUP_DEADLINE_MS = 60_000;

interface Kept {
  readonly from: { readonly monolith: MonolithName; readonly snapshot: SnapshotName };
  readonly spec: MonolithSpec;
  /** It has its volumes and is desired: from here on it is a monolith as any other. */
  readonly isDesired?: true;
}

export const clone: Verb<RequestOf<"clone">, Kept> = {
  title: ({ cell, snapshot }) => `clone ${cell} ${snapshot}`,
  admits: {
    whileHalted: { act: "clone it" },
    interrupts: [],
    needsPool: true,
    finishesRollback: false,
  },
  aim: async (context, { cell, name }) => {
    await context.wholeMonolith(cell, "clone");
    return { monolith: name, target: name };
  },
  prepare: async ({ context, report }, { cell, name, snapshot, publish }) => {
    const from = await context.wholeMonolith(cell, "clone");
    await refuseNameInUse(context, name);
    const original = await declared(context, from);
    const { found } = await context.ports.snapshots.find(from, snapshot);
    refuseMissingParts(original, found);
    const spec = cloneSpec(original, name, await portsOf(context, original, publish));
    await refuseUnfit(context, spec, report);
    return { from: { monolith: from, snapshot }, spec };
  },
  carryOut: (change, kept) =>
    change.context.images.keep(kept.spec.images, () => cloneOriginal(change, kept)),
  resume: async (change, kept) => {
    const { context, monolith } = change;
    if (kept.isDesired === true) {
      await start(change, kept);
      return;
    }
    await reach(change, { kind: "nothing" });
    await context.ports.network.sweep(context.cells.names());
    await destroyVolumes(context, kept.spec);
    throw new HengeError(
      "WRONG_STATE",
      `cannot clone ${kept.from.monolith}: the daemon ended on the way; nothing of ${monolith} is left`,
      { hint: "ask for it again" },
    );
  },
};

async function cloneOriginal(change: Change, kept: Kept): Promise<void> {
  const { context, signal } = change;
  const { spec, from } = kept;
  await context.ports.volumes.clone(from, spec.name, spec.volumes, signal);
  for (const { name } of spec.volumes) note(change, `cloned volume ${name}`);
  await start(change, kept);
}

/** From a daemon that is killed before it is desired, nothing is left; from one that is killed later, a monolith. */
async function start(change: Change, kept: Kept): Promise<void> {
  const { context } = change;
  const desired = { spec: kept.spec, stopped: [] };
  let { isDesired } = kept;
  for (const { hostAddress, hostPort, cellPort } of kept.spec.cells[0]?.publish ?? [])
    note(
      change,
      `${hostAddress}:${String(hostPort)} leads to ${kept.spec.name}:${String(cellPort)}`,
    );
  context.cells.dependencies.declare([kept.spec]);
  try {
    await reach(
      change,
      { kind: "monolith", desired },
      {
        inPlace: async () => {
          await context.ports.store.write(desired);
          isDesired = true;
          await change.commit("starting", { ...kept, isDesired });
        },
      },
    );
  } catch (error) {
    if (isDesired === true) throw error;
    const failure = await goBack(change, undefined, error);
    await destroyVolumes(context, kept.spec);
    throw failure;
  }
}

async function destroyVolumes({ ports }: Context, { name, volumes }: MonolithSpec): Promise<void> {
  await withDeadline(ports.clock, CLEANUP_DEADLINE_MS, async (signal) => {
    for (const volume of volumes) await ports.volumes.destroy(name, volume.name, signal);
  });
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
    hint: "choose another name for the clone; nothing was changed",
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
