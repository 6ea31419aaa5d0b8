// Defences of snapshots, rollbacks, clones and upgrades.

import type { Mutation } from "./mutation.js";

export const SNAPSHOTS: readonly Mutation[] = [
  {
    name: "a snapshot during which something ran is kept",
    file: "src/reconcile/change/snapshots.ts",
    from: "  if (wasHeld) return;\n",
    to: "  return;\n",
    test: "test/unit/reconcile/snapshots.test.ts",
    fails: "keeps no snapshot during which something ran",
  },
  {
    name: "a monolith runs on while its snapshot is taken in several acts",
    file: "src/reconcile/change/snapshots.ts",
    from: "if (pool.isOneInstant || cells.length === 0)",
    to: "if (cells.length >= 0)",
    test: "test/unit/reconcile/snapshots.test.ts",
    fails: "holds the whole monolith still where the pool cannot take all volumes at once",
  },
  {
    name: "a one-off begins without the snapshot the manifest wants",
    file: "src/reconcile/verbs/exec.ts",
    from: "      await snapshotBeforeRun(context, monolithOf(target.cell), signal);\n",
    to: "",
    test: "test/unit/reconcile/one-offs.test.ts",
    fails:
      "a one-off of a monolith that wants snapshots before changes > begins when there is one, and leaves those that were before other changes",
  },
  {
    name: "snapshots before one-offs push out those before other changes",
    file: "src/reconcile/change/snapshots.ts",
    from: " && (before === RUN) === (verb === RUN)",
    to: "",
    test: "test/unit/reconcile/one-offs.test.ts",
    fails:
      "a one-off of a monolith that wants snapshots before changes > begins when there is one, and leaves those that were before other changes",
  },
  {
    name: "a rollback that was interrupted is forgotten",
    file: "src/storage/storage.ts",
    from: "      await ledger.beginRollback(monolith, members, name);\n",
    to: "",
    test: "test/unit/storage/storage.test.ts",
    fails: "has a rollback on record before its first act, and ends it by itself",
  },
  {
    name: "volumes are rolled back under a unit that runs",
    file: "src/reconcile/verbs/rollback.ts",
    from: "    refuseRunning(monolith, observed);\n",
    to: "",
    test: "test/unit/reconcile/snapshots.test.ts",
    fails: "refuses a rollback under running units, and changes nothing",
  },
  {
    name: "a clone keeps the host's network",
    file: "src/plan/clone.ts",
    from: 'network === "host" ? "own" : network',
    to: "network",
    test: "test/unit/plan/clone.test.ts",
    fails: "never reaches what the original reaches over the host's network",
  },
  {
    name: "an upgrade that a crash interrupted goes on",
    file: "src/reconcile/verbs/upgrade.ts",
    from: "    throw await goBack(change, kept.current, error);\n  },",
    to: "    throw error;\n  },",
    test: "test/unit/reconcile/upgrade.test.ts",
    fails: "goes back after a crash before the point of no return",
  },
  {
    name: "a rolled back monolith has no cells until the next daemon",
    file: "src/reconcile/verbs/rollback.ts",
    from: "    await standAgain(change);\n",
    to: "    void standAgain;\n",
    test: "test/unit/reconcile/snapshots.test.ts",
    fails: "rolls a stopped monolith back, knows its volumes again, and starts nothing",
  },
  {
    name: "nobody looks whether new code stays up",
    file: "src/reconcile/verbs/upgrade.ts",
    from: "    await watch(change,",
    to: "    await Promise.resolve(change,",
    test: "test/unit/reconcile/upgrade.test.ts",
    fails: "goes back when what came up does not stay up",
  },
];
