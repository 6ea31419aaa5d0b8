// Snapshots of a whole monolith: taken and destroyed when somebody says so.

import { HengeError } from "../../errors.js";
import type { MonolithName, SnapshotName } from "../../spec/index.js";

import { takeHeld } from "../change/snapshots.js";
import type { Verb } from "../change/verb.js";
import type { Context } from "../context.js";
import type { RequestOf } from "../control.js";

interface Kept {
  readonly name: SnapshotName;
}

export const snapshot: Verb<RequestOf<"snapshot">, Kept> = {
  title: ({ name }) => `snapshot ${name}`,
  admits: { whileHalted: true, interrupts: [], needsPool: false, finishesRollback: true },
  aim: async (context, { cell }) => {
    const monolith = await context.wholeMonolith(cell, "take a snapshot of");
    return { monolith, target: monolith };
  },
  prepare: (_change, { name }) => Promise.resolve({ name }),
  carryOut: ({ context, monolith, signal }, { name }) => takeHeld(context, monolith, name, signal),
  resume: async ({ context, monolith, signal }, { name }) => {
    if (!(await exists(context, monolith, name))) await takeHeld(context, monolith, name, signal);
  },
};

export const destroySnapshot: Verb<RequestOf<"destroy-snapshot">, Kept> = {
  title: ({ name }) => `destroy-snapshot ${name}`,
  admits: { whileHalted: true, interrupts: [], needsPool: false, finishesRollback: false },
  aim: async (context, { cell }) => {
    const monolith = await context.wholeMonolith(cell, "destroy a snapshot of");
    return { monolith, target: monolith };
  },
  prepare: (_change, { name }) => Promise.resolve({ name }),
  carryOut: destroy,
  resume: async (change, kept) => {
    if (await exists(change.context, change.monolith, kept.name)) await destroy(change, kept);
  },
};

async function destroy(
  { context, monolith, signal }: Parameters<Verb<never, Kept>["carryOut"]>[0],
  { name }: Kept,
): Promise<void> {
  await context.ports.snapshots.destroy(monolith, name, signal);
  context.ports.events.emit({ kind: "snapshot", name, what: "destroyed" }, monolith);
}

async function exists(
  { ports }: Context,
  monolith: MonolithName,
  name: SnapshotName,
): Promise<boolean> {
  try {
    await ports.snapshots.find(monolith, name);
    return true;
  } catch (error) {
    if (error instanceof HengeError && error.code === "SNAPSHOT_NOT_FOUND") return false;
    throw error;
  }
}
