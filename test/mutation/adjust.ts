// What a change of a unit that runs defends: its process, and that the change is in force.

import type { Mutation } from "./mutation.js";

export const ADJUST: readonly Mutation[] = [
  {
    name: "a changed probe restarts its unit",
    file: "src/plan/unit-fields.ts",
    from: '  liveness: "live",',
    to: '  liveness: "restart",',
    test: "test/unit/plan/adjust.test.ts",
  },
  {
    name: "what a run has from its start is changed without another run",
    file: "src/plan/unit-fields.ts",
    from: '  stop: "restart",',
    to: '  stop: "live",',
    test: "test/unit/plan/difference.test.ts",
  },
  {
    name: "a run is told to notify that was given nothing to notify by",
    file: "src/plan/unit-fields.ts",
    from: 'if (field === "readiness" && notifies(seen) !== notifies(wanted)) return "restart";',
    to: "",
    test: "test/unit/plan/difference.test.ts",
  },
  {
    name: "a daemon ends a back-off that nobody has asked to end",
    file: "src/plan/unit-wish.ts",
    from: 'const isStarted = wish?.kind === "change" && !isLeft;',
    to: 'const isStarted = wish?.kind === "change";',
    test: "test/unit/plan/adjust.test.ts",
  },
  {
    name: "the old probe is asked on",
    file: "src/supervise/change.ts",
    from: '[{ kind: "end-probes" }, ...probesWhileReady(spec)]',
    to: "[]",
    test: "test/unit/reconcile/adjust.test.ts",
  },
  {
    name: "a doubt outlives the probe that had it",
    file: "src/supervise/change.ts",
    from: "const phase = sameHealth && doubt !== undefined",
    to: "const phase = doubt !== undefined",
    test: "test/unit/supervise/change.test.ts",
  },
  {
    name: "a start that is changed has all its time anew",
    file: "src/supervise/change.ts",
    from: "deadlineMs - before.startTimeoutMs + spec.startTimeoutMs",
    to: "nowMs + spec.startTimeoutMs",
    test: "test/unit/supervise/change.test.ts",
  },
  {
    name: "the next daemon brings the old probe back",
    file: "src/reconcile/cells/declared.ts",
    from: "? { ...run, spec: declared } : run;",
    to: "? run : run;",
    test: "test/unit/reconcile/adjust.test.ts",
  },
  {
    name: "a change during a hand-over is lost",
    file: "src/reconcile/cells/supervisor.ts",
    from: 'await this.until(() => this.life.beside === undefined, signal, "adjust");',
    to: "",
    test: "test/unit/reconcile/adjust.test.ts",
  },
  {
    name: "a run is taken for the one that was to follow it",
    file: "src/reconcile/cells/supervisor.ts",
    from: "refuseOtherRun(this.name, this.life.spec, spec);",
    to: "",
    test: "test/unit/reconcile/adjust.test.ts",
  },
];
