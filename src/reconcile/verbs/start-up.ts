// What a daemon does first, after a crash as after a boot: adopt what runs, go on with what the one before had not ended, then
// bring up what is desired and missing.

import type { CellName, MonolithName, MonolithSpec, PublishSpec, Step } from "../../spec/index.js";

import { declaredUnits } from "../cells/declared.js";
import { perform } from "../change/pipeline.js";
import type { AnyVerb } from "../change/pipeline.js";
import { planGoal, reach } from "../change/reach.js";
import type { Verb } from "../change/verb.js";
import { pause, withDeadline } from "../clock.js";
import type { Context } from "../context.js";
import type { RequestOf } from "../control.js";
import type { Ports } from "../ports.js";

const ADOPT_DEADLINE_MS = 30_000;
const POOL_DEADLINE_MS = 120_000;
const RETRY_MIN_MS = 2_000;
// Also how soon a cell starts when its pool has come back.
const RETRY_MAX_MS = 15_000;

/**
 * Returns when every cell that outlived the last daemon is known again; nothing was started or stopped by then.
 * @param stop ends the watch on the network's rules
 */
export async function adoptCells(context: Context, stop: AbortSignal): Promise<void> {
  const { store, network, events, clock } = context.ports;
  const stored = await store.list();
  await withDeadline(clock, ADOPT_DEADLINE_MS, (signal) =>
    context.allocator.adopt(declaredUnits(stored), signal),
  );
  const specs = stored.flatMap((one) => ("desired" in one ? [one.desired.spec] : []));
  context.cells.dependencies.declare(specs);
  await network.sweep(context.cells.names());
  await network.guard(
    new Map(specs.flatMap(({ cells }) => cells).map(({ name, publish }) => [name, publish])),
    (by) => {
      events.emit({ kind: "rules-restored", ...(by === undefined ? {} : { by }) });
    },
    stop,
  );
  await attachAgain(context, specs);
}

/**
 * A daemon that was killed between a cell's allocation and its network has left it without one. Of a monolith that is not
 * on record yet no port is published here: the change that goes on with it does that.
 */
async function attachAgain(context: Context, specs: readonly MonolithSpec[]): Promise<void> {
  const { network, warn } = context.ports;
  const publish = new Map(
    specs.flatMap(({ cells }) => cells).map((cell) => [cell.name, cell.publish]),
  );
  for (const cell of context.cells.names()) {
    const known = context.cells.get(cell);
    if (known === undefined || known.lost || known.state.boundary.network !== "own") continue;
    const ports = publish.get(cell) ?? [];
    await attachMissing(network, cell, known.warden.initPid, ports).catch((error: unknown) => {
      warn(`${cell} may have no network`, error);
    });
  }
}

async function attachMissing(
  network: Ports["network"],
  cell: CellName,
  initPid: number,
  publish: readonly PublishSpec[],
): Promise<void> {
  if ((await network.readPublished(cell)) === undefined)
    await network.attach(cell, initPid, publish);
}

/**
 * Brings every monolith on record to what is desired, and tries again while it cannot: a pool that comes back brings
 * its cells back. Leaves unsupervised cells alone: what runs in them is only ended when an operator says so.
 */
export async function converge(context: Context, stop: AbortSignal): Promise<void> {
  for (let waitMs = RETRY_MIN_MS; !stop.aborted; waitMs = Math.min(2 * waitMs, RETRY_MAX_MS)) {
    if (await context.ports.haltMark.isSet()) return;
    if (await convergeAll(context, stop)) return;
    await pause(context.ports.clock, waitMs, stop);
  }
}

async function convergeAll(context: Context, stop: AbortSignal): Promise<boolean> {
  const { ports } = context;
  let settled = true;
  const failed = (text: string, error: unknown): void => {
    if (stop.aborted) return;
    settled = false;
    ports.warn(text, error);
  };
  let poolError: Error | undefined;
  await withDeadline(
    ports.clock,
    POOL_DEADLINE_MS,
    (signal) => ports.pool.ensure(signal),
    stop,
  ).catch((error: unknown) => {
    poolError = error instanceof Error ? error : new Error(String(error));
    failed("the pool is not there yet", error);
  });
  const stored = await ports.store.list();
  const names = stored.flatMap((monolith) => ("desired" in monolith ? [monolith.name] : []));
  await Promise.all(
    names.map((name) =>
      convergeOne(context, name, poolError, stop).catch((error: unknown) => {
        failed(`${name} is not as desired yet`, error);
      }),
    ),
  );
  return settled;
}

async function convergeOne(
  context: Context,
  monolith: MonolithName,
  poolError: Error | undefined,
  stop: AbortSignal,
): Promise<void> {
  const unfinished = context.ports.snapshots.unfinishedRollback(monolith) !== undefined;
  const desired = await context.desired(monolith);
  if (desired === undefined) return;
  if (!unfinished || poolError !== undefined) {
    const goal = { kind: "monolith", desired, leaveFailed: true } as const;
    const { observed, steps } = await planGoal(context, monolith, goal);
    if (observed.cells.some(({ state }) => state === "unsupervised") || steps.length === 0) return;
    // What is seen of a pool that is away looks like one that is empty.
    if (poolError !== undefined && steps.some(needsPool)) {
      for (const step of steps) if (step.kind === "allocate") context.block(step.cell, poolError);
      throw poolError;
    }
  }
  await perform(context, bringUp as AnyVerb, {
    ...{ id: crypto.randomUUID(), request: { verb: "converge", monolith }, caller: "henged" },
    ...{ report: () => undefined, signal: stop },
  });
}

/** The daemon's own: nobody has asked, so it gives way to whoever does, and leaves what has failed to its restart policy. */
export const bringUp: Verb<RequestOf<"converge">, null> = {
  admits: {
    whileHalted: { act: "bring it up" },
    interrupts: [],
    needsPool: false,
    finishesRollback: true,
  },
  aim: (_context, { monolith }) => ({ monolith, target: monolith }),
  prepare: () => Promise.resolve(null),
  carryOut: async (change) => {
    const { context, monolith } = change;
    const desired = await context.desired(monolith);
    if (desired === undefined) return;
    await reach(change, { kind: "monolith", desired, leaveFailed: true });
  },
  // What it would bring up is looked at anew.
  resume: () => Promise.resolve(),
};

function needsPool(step: Step): boolean {
  if (step.kind !== "allocate")
    return ["create-volume", "set-volume", "import-image"].includes(step.kind);
  const { mounts, root } = step.spec.boundary;
  return mounts.length > 0 || root.kind === "image";
}
