// Freeze and thaw: a cell with all that is nested in it, for the kernel freezes subtrees.
// See cgroup.freeze in https://docs.kernel.org/admin-guide/cgroup-v2.html.

import type { CellName } from "../../spec/index.js";
import { monolithOf } from "../../spec/index.js";

import { cellNotFound } from "../admission/targets.js";
import type { Verb } from "../change/verb.js";
import type { RequestOf } from "../control.js";

interface Kept {
  readonly cell: CellName;
}

export const freeze = frozenVerb("freeze");
export const thaw = frozenVerb("thaw");

function frozenVerb(verb: "freeze" | "thaw"): Verb<RequestOf<"freeze" | "thaw">, Kept> {
  return {
    admits: {
      whileHalted: true,
      interrupts: [],
      needsPool: false,
      finishesRollback: false,
    },
    aim: (_context, { cell }) => ({ monolith: monolithOf(cell), target: cell }),
    prepare: async ({ context, monolith }, { cell }) => {
      if (!context.cells.names().includes(cell))
        throw cellNotFound(cell, await context.view(monolith));
      return { cell };
    },
    carryOut: async ({ context, signal }, { cell }) => {
      const isFrozen = verb === "freeze";
      await context.ports.cgroups.setFrozen(cell, isFrozen, signal);
      context.ports.events.emit(
        { kind: "cell-state", state: isFrozen ? "frozen" : "running" },
        cell,
      );
    },
  };
}
