// The defences, each with the edit that removes it and the test that must then fail.

import type { Mutation } from "./mutation.js";

export const MUTATIONS: readonly Mutation[] = [
  {
    name: "a record is not synced before it is renamed",
    file: "src/store/record.ts",
    from: "      await file.sync();\n",
    to: "",
    test: "test/system/store.test.ts",
    built: true,
  },
  {
    name: "the directory of a record is not synced after the rename",
    file: "src/store/record.ts",
    from: "    await rename(temporary, path);\n    await syncDirectory(dirname(path));",
    to: "    await rename(temporary, path);",
    test: "test/system/store.test.ts",
    built: true,
  },
  {
    name: "the audit line is not on the disk before the act",
    file: "src/store/audit.ts",
    from: "        if (entry.result === undefined) await file.datasync();\n",
    to: "",
    test: "test/system/store.test.ts",
    built: true,
  },
  {
    name: "the checksum of a record is not compared",
    file: "src/store/record.ts",
    from: "record.sha256 !== sha256(JSON.stringify(record.body))",
    to: "false",
    test: "test/unit/store/record.test.ts",
  },
  {
    name: "a volume that is another dataset is mounted",
    file: "src/reconcile/cells.ts",
    from: "    this.edges.ledger.requireSame(monolith, volume, source.identity);\n",
    to: "",
    test: "test/unit/reconcile/volumes.test.ts",
  },
  {
    name: "an empty volume is made in place of one that is missing",
    file: "src/reconcile/execute.ts",
    from: "  ledger.requireNew(monolith, volume.name);\n",
    to: "",
    test: "test/unit/reconcile/volumes.test.ts",
  },
  {
    name: "what an operator stopped is not on record",
    file: "src/reconcile/run-state.ts",
    from: "    if (!isDeepStrictEqual(wanted, desired)) await context.edges.store.write(wanted);\n",
    to: "",
    test: "test/unit/reconcile/reconciler.test.ts",
  },
  {
    name: "what is desired is not on record before the first step",
    file: "src/reconcile/apply.ts",
    from: "  await context.edges.store.write(desired);\n",
    to: "",
    test: "test/unit/reconcile/reconciler.test.ts",
  },
  {
    name: "a request that is sent again acts again",
    file: "src/reconcile/requests.ts",
    from: "    if (known !== undefined) return known.answer;\n",
    to: "",
    test: "test/unit/reconcile/reconciler.test.ts",
  },
  {
    name: "a second change is let in beside the first",
    file: "src/reconcile/exclusive.ts",
    from: "      if (other === undefined) break;",
    to: "      if (other === undefined || monolith !== verb) break;",
    test: "test/unit/reconcile/reconciler.test.ts",
  },
];
