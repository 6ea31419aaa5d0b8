// What a daemon does first, after a crash as after a boot: adopt what runs, then bring up what is desired and missing.

import { planMonolith } from "../../plan/index.js";
import type { Step } from "../../spec/index.js";

import type { Context } from "../context.js";
import { declaredUnits } from "../cells/declared.js";
import { finishRollback } from "./rollback.js";
import { forsakeUpgrade } from "./upgrade.js";

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
  const stored = await Promise.all(
    (await context.ports.store.list()).map(async (monolith) =>
      "desired" in monolith
        ? { ...monolith, desired: await forsakeUpgrade(context, monolith.desired) }
        : monolith,
    ),
  );
  await context.cells.adopt(declaredUnits(stored), AbortSignal.timeout(ADOPT_DEADLINE_MS));
  context.cells.dependencies.declare(
    stored.flatMap((monolith) => ("desired" in monolith ? [monolith.desired.spec] : [])),
  );
  await context.ports.network.sweep(context.cells.names());
  const specs = stored.flatMap((monolith) =>
    "desired" in monolith ? monolith.desired.spec.cells : [],
  );
  await context.ports.network.guard(
    new Map(specs.map(({ name, publish }) => [name, publish])),
    (by) => {
      context.ports.events.emit({ kind: "rules-restored", ...(by === undefined ? {} : { by }) });
    },
    stop,
  );
}

/**
 * Brings every monolith on record to what is desired, and tries again while it cannot: a pool that comes back brings
 * its cells back. Leaves unsupervised cells alone: what runs in them is only ended when an operator says so.
 */
export async function converge(context: Context, stop: AbortSignal): Promise<void> {
  for (let waitMs = RETRY_MIN_MS; !stop.aborted; waitMs = Math.min(2 * waitMs, RETRY_MAX_MS)) {
    if (await context.ports.haltMark.isSet()) return;
    if (await convergeAll(context, stop)) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        cancel();
        stop.removeEventListener("abort", wake);
        resolve();
      };
      const cancel = context.ports.clock.after(waitMs, wake);
      stop.addEventListener("abort", wake);
    });
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
  await ports.pool
    .ensure(AbortSignal.any([stop, AbortSignal.timeout(POOL_DEADLINE_MS)]))
    .catch((error: unknown) => {
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
  name: Parameters<Context["desired"]>[0],
  poolError: Error | undefined,
  stop: AbortSignal,
): Promise<void> {
  const request = { id: crypto.randomUUID(), verb: "converge", monolith: name, target: name };
  const giveWay = new AbortController();
  const signal = AbortSignal.any([stop, giveWay.signal]);
  if (poolError === undefined && context.ports.snapshots.unfinishedRollback(name) !== undefined)
    await context.change(
      { ...request, id: crypto.randomUUID(), verb: "finish rollback" },
      () => finishRollback(context, name, signal),
      giveWay,
    );
  const desired = await context.desired(name);
  const observed = await context.observe(name);
  if (desired === undefined || observed.cells.some(({ state }) => state === "unsupervised")) return;
  const steps = planMonolith(desired, observed, { ...context.planFacts, leaveFailed: true });
  if (steps.length === 0) return;
  // What is seen of a pool that is away looks like one that is empty.
  if (poolError !== undefined && steps.some(needsPool)) {
    for (const step of steps) if (step.kind === "allocate") context.block(step.cell, poolError);
    throw poolError;
  }
  await context.change(
    request,
    async () => {
      if (await context.ports.haltMark.isSet()) return;
      await context.execute(name, steps, () => undefined, signal);
    },
    giveWay,
  );
}

function needsPool(step: Step): boolean {
  if (step.kind !== "allocate")
    return ["create-volume", "set-volume", "import-image"].includes(step.kind);
  const { mounts, root } = step.spec.boundary;
  return mounts.length > 0 || root.kind === "image";
}
