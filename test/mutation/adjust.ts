// What a change of a unit that runs defends: its process, and that the change is in force.

import type { Mutation } from "./mutation.js";

export const ADJUST: readonly Mutation[] = [
  {
    name: "a changed probe restarts its unit",
    file: "src/plan/unit-fields.ts",
    from: '  liveness: "live",',
    to: '  liveness: "restart",',
    test: "test/unit/plan/adjust.test.ts",
    fails:
      "a unit that differs only in what its supervisor uses > is adjusted, and its process is left alone",
  },
  {
    name: "what a run has from its start is changed without another run",
    file: "src/plan/unit-fields.ts",
    from: '  stop: "restart",',
    to: '  stop: "live",',
    test: "test/unit/plan/difference.test.ts",
    fails: "what a changed field of a unit takes > is a new run for stop",
  },
  {
    name: "a run is told to notify that was given nothing to notify by",
    file: "src/plan/unit-fields.ts",
    from: 'if (field === "readiness" && notifies(seen) !== notifies(wanted)) return "restart";',
    to: "",
    test: "test/unit/plan/difference.test.ts",
    fails:
      "what a changed field of a unit takes > is a new run for readiness only from and to notify",
  },
  {
    name: "a daemon ends a back-off that nobody has asked to end",
    file: "src/plan/unit-wish.ts",
    from: 'const isStarted = wish?.kind === "change" && !isLeft;',
    to: 'const isStarted = wish?.kind === "change";',
    test: "test/unit/plan/adjust.test.ts",
    fails:
      "a unit that differs only in what its supervisor uses > is adjusted in a back-off that nobody has asked to end",
  },
  {
    name: "the old probe is asked on",
    file: "src/supervise/change.ts",
    from: '[{ kind: "end-probes" }, ...probesWhileReady(spec)]',
    to: "[]",
    test: "test/unit/reconcile/adjust.test.ts",
    fails: "changes a probe of a unit that runs on, and the new one is in force",
  },
  {
    name: "a doubt outlives the probe that had it",
    file: "src/supervise/change.ts",
    from: "const phase = sameHealth && doubt !== undefined",
    to: "const phase = doubt !== undefined",
    test: "test/unit/supervise/change.test.ts",
    fails:
      "the spec of a unit that is ready > clears a doubt of a health probe that is another now, or gone",
  },
  {
    name: "a start that is changed has all its time anew",
    file: "src/supervise/change.ts",
    from: "deadlineMs - before.startTimeoutMs + spec.startTimeoutMs",
    to: "nowMs + spec.startTimeoutMs",
    test: "test/unit/supervise/change.test.ts",
    fails:
      "the spec of a unit that is not ready yet > is late at once when it has taken longer than the new one allows",
  },
  {
    name: "the next daemon brings the old probe back",
    file: "src/reconcile/cells/declared.ts",
    from: "? { ...run, spec: declared } : run;",
    to: "? run : run;",
    test: "test/unit/reconcile/adjust.test.ts",
    fails: "is kept by the next daemon, though the warden knows the old one only",
  },
  {
    name: "a change during a hand-over is lost",
    file: "src/reconcile/cells/supervisor.ts",
    from: 'await this.waiters.until("adjust", () => this.life.beside === undefined, signal);',
    to: "",
    test: "test/unit/reconcile/adjust.test.ts",
    fails: "waits for a hand-over that is under way, and changes the run that took over",
  },
  {
    name: "a run is taken for the one that was to follow it",
    file: "src/reconcile/cells/supervisor.ts",
    from: "refuseOtherRun(this.name, this.life.spec, spec);",
    to: "",
    test: "test/unit/reconcile/adjust.test.ts",
    fails: "does not give a run the spec of the one that was to follow it in vain",
  },
];
