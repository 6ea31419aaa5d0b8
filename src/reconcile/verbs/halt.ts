// Halt and resume: the host goes down, or is worked on. What is desired stays on record.

import { HengeError } from "../../errors.js";
import { planMonolith } from "../../plan/index.js";
import type { MonolithName } from "../../spec/index.js";

import type { Context, Report } from "../context.js";

const BUSY_RETRY_MS = 500;

/**
 * Stops every unit of every monolith in order and frees the cells, so that nothing holds a volume; until `resume` or the
 * next boot nothing is started. One monolith that does not stop keeps no other from it.
 * @throws {HengeError} of the first monolith that could not be stopped; what is halted stays so
 */
export async function halt(
  context: Context,
  requestId: string,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  // First of all: a daemon killed on the way starts nothing again.
  await context.ports.haltMark.set();
  const ends = await Promise.allSettled(
    (await context.monoliths()).map(async (name) => {
      await haltOne(context, name, requestId, signal);
      report({ kind: "note", text: `${name} is stopped` });
    }),
  );
  const failed = ends.find((end) => end.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  context.ports.events.emit({ kind: "daemon", text: "halted" });
}

/** @throws {HengeError} WRONG_STATE */
export async function refuseHalted({ ports }: Context, verb: string): Promise<void> {
  if (!(await ports.haltMark.isSet())) return;
  throw new HengeError("WRONG_STATE", `cannot ${verb}: everything is halted`, {
    hint: "henge resume brings up what is desired",
  });
}

/** A change somebody asked for before is waited for: it is refused its starts from now on, or ends. */
async function haltOne(
  context: Context,
  monolith: MonolithName,
  requestId: string,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    const id = `${requestId}.${monolith}.${String(attempt)}`;
    try {
      await context.change({ id, verb: "halt", monolith, target: monolith }, () =>
        stopAll(context, monolith, signal),
      );
      return;
    } catch (error) {
      if (!(error instanceof HengeError && error.code === "BUSY") || signal.aborted) throw error;
    }
    await new Promise<void>((resolve) => {
      context.ports.clock.after(BUSY_RETRY_MS, resolve);
    });
  }
}

async function stopAll(
  context: Context,
  monolith: MonolithName,
  signal: AbortSignal,
): Promise<void> {
  const { cells } = await context.observeRunState(monolith);
  // Parents first, as they are listed; a frozen process takes no signal.
  for (const { name } of cells.filter(({ state }) => state === "frozen"))
    await context.ports.cgroups.setFrozen(name, false, signal);
  const observed = await context.observeRunState(monolith);
  const steps = planMonolith(undefined, observed, context.planFacts);
  await context.execute(monolith, steps, () => undefined, signal);
  await context.ports.network.sweep(context.cells.names());
}
