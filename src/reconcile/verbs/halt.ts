// Halt and resume: the host goes down, or is worked on. What is desired stays on record.

import { note } from "../change/change.js";
import type { Change } from "../change/change.js";
import { observeCells } from "../observe.js";
import { reach } from "../change/reach.js";
import type { Preconditions, Verb } from "../change/verb.js";
import type { RequestOf } from "../control.js";

const ALWAYS: Preconditions = {
  whileHalted: true,
  interrupts: [],
  needsPool: false,
  finishesRollback: false,
};

/**
 * Stops every unit of every monolith in order and frees the cells, so that nothing holds a volume; until `resume` or the
 * next boot nothing is started. One monolith that does not stop keeps no other from it, and is the failure.
 */
export const halt: Verb<RequestOf<"halt">, null> = {
  admits: ALWAYS,
  aim: () => ({ target: "all" }),
  prepare: () => Promise.resolve(null),
  carryOut: async (change) => {
    const { context } = change;
    // First of all: a daemon killed on the way starts nothing again.
    await context.ports.haltMark.set();
    const ends = await Promise.allSettled(
      (await context.monoliths()).map(async (monolith) => {
        await haltOne({ ...change, monolith, report: () => undefined });
        note(change, `${monolith} is stopped`);
      }),
    );
    const failed = ends.find((end) => end.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    context.ports.events.emit({ kind: "daemon", text: "halted" });
  },
};

/** What only brings up more is interrupted; any other change is waited for. */
function haltOne(change: Change): Promise<void> {
  const entry = {
    ...({ verb: "halt", waits: true, interrupts: ["converge", "up", "start", "restart"] } as const),
    interrupt: () => undefined,
  };
  return change.context.mutex.run(change.monolith, entry, () => stopAll(change));
}

async function stopAll(change: Change): Promise<void> {
  const { context, monolith, signal } = change;
  const { cgroups, network } = context.ports;
  const cells = await observeCells(context.ports, context.cells, monolith);
  // Parents first, as they are listed; a frozen process takes no signal.
  for (const { name } of cells.filter(({ state }) => state === "frozen"))
    await cgroups.setFrozen(name, false, signal);
  await reach(change, { kind: "nothing" });
  await network.sweep(context.cells.names());
}

/** Ends before everything is up: what brings it up goes on by itself. */
export function resumeWith(bringUp: () => void): Verb<RequestOf<"resume">, null> {
  return {
    admits: ALWAYS,
    aim: () => ({ target: "all" }),
    prepare: () => Promise.resolve(null),
    carryOut: async ({ context }) => {
      await context.ports.haltMark.clear();
      bringUp();
    },
  };
}
