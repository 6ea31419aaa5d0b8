// Defences of snapshots, rollbacks, clones and upgrades.

import type { Mutation } from "./mutation.js";

export const SNAPSHOTS: readonly Mutation[] = [
  {
    name: "a snapshot during which something ran is kept",
    file: "src/reconcile/verbs/snapshots.ts",
    from: "  if (wasHeld) return;\n",
    to: "  return;\n",
    test: "test/unit/reconcile/snapshots.test.ts",
  },
  {
    name: "a monolith runs on while its snapshot is taken in several acts",
    file: "src/reconcile/verbs/snapshots.ts",
    from: "if (pool.isOneInstant || cells.length === 0)",
    to: "if (cells.length >= 0)",
    test: "test/unit/reconcile/snapshots.test.ts",
  },
  {
    name: "a one-off begins without the snapshot the manifest wants",
    file: "src/reconcile/verbs/exec.ts",
    from: "      await snapshotBeforeRun(context, monolithOf(target.cell), signal);\n",
    to: "",
    test: "test/unit/reconcile/one-offs.test.ts",
  },
  {
    name: "snapshots before one-offs push out those before other changes",
    file: "src/reconcile/verbs/snapshots.ts",
    from: " && (before === RUN) === (verb === RUN)",
    to: "",
    test: "test/unit/reconcile/one-offs.test.ts",
  },
  {
    name: "a rollback that was interrupted is forgotten",
    file: "src/storage/storage.ts",
    from: "      await ledger.beginRollback(monolith, members, name);\n",
    to: "",
    test: "test/unit/storage/storage.test.ts",
  },
  {
    name: "volumes are rolled back under a unit that runs",
    file: "src/reconcile/verbs/rollback.ts",
    from: "    refuseRunning(monolith, observed);\n",
    to: "",
    test: "test/unit/reconcile/snapshots.test.ts",
  },
  {
    name: "a clone keeps the host's network",
    file: "src/plan/clone.ts",
    from: 'network === "host" ? "own" : network',
    to: "network",
    test: "test/unit/plan/clone.test.ts",
  },
  {
    name: "an upgrade that a crash interrupted goes on",
    file: "src/reconcile/verbs/upgrade.ts",
    from: ", stopped, upgradingFrom: current.spec }",
    to: ", stopped }",
    test: "test/unit/reconcile/upgrade.test.ts",
  },
  {
    name: "nobody looks whether new code stays up",
    file: "src/reconcile/verbs/upgrade.ts",
    from: "    await settle(context,",
    to: "    await Promise.resolve(context,",
    test: "test/unit/reconcile/upgrade.test.ts",
  },
];
