// What a daemon makes of what the one before it left when it was killed.

import type { Mutation } from "./mutation.js";

export const ADOPTION: readonly Mutation[] = [
  {
    name: "the directory of a cell that was freed stays for ever",
    file: "src/warden/client.ts",
    from: "  if (record === undefined) await removeRunDirectory(places.run);\n",
    to: "",
    test: "test/system/warden-adopt.test.ts",
    fails:
      "a warden whose client is gone > leaves no directory behind when the daemon that had it freed was killed before it took that away",
  },
  {
    name: "a cell of a monolith that is not on record yet stays without a network",
    file: "src/reconcile/verbs/start-up.ts",
    from: "  for (const cell of context.cells.names()) {\n    const known",
    to: "  for (const cell of publish.keys()) {\n    const known",
    test: "test/unit/reconcile/adopt.test.ts",
    fails:
      "gives a cell the network that a killed daemon had not come to, also of a monolith not on record yet",
  },
  {
    name: "a frozen unit is asked whether it is ready",
    file: "src/supervise/adopt.ts",
    from: "  if (unit.isFrozen === true && unit.wasReady) return becomeReady(running, nowMs);\n",
    to: "",
    test: "test/unit/supervise/adopt.test.ts",
    fails:
      "a unit that ran on while the daemon was away > stays ready in a frozen cell, where nobody can answer; what was not yet is still to become so",
  },
];
