// What a restart that hands over defends: whatever happens, one run goes on.

import type { Mutation } from "./mutation.js";

export const HANDOVER: readonly Mutation[] = [
  {
    name: "the old run is stopped before the next is ready",
    file: "src/supervise/handover.ts",
    from: "  if (beside.notified === true) return takeOver(",
    to: "  if (nowMs >= 0) return takeOver(",
    test: "test/unit/supervise/handover.test.ts",
  },
  {
    name: "a next run that fails takes the old one with it",
    file: "src/supervise/handover.ts",
    from: 'return same({ ...life, beside }, [{ kind: "stop-run", run: "beside" }]);',
    to: 'return same({ ...life, beside }, [{ kind: "stop" }]);',
    test: "test/unit/supervise/handover.test.ts",
  },
  {
    name: "a next run that is too late takes over all the same",
    file: "src/supervise/handover.ts",
    from: '    case "failed":\n    case "retiring":\n      return same(life);\n',
    to: '    case "failed":\n    case "retiring":\n      return takeOver(life, life.spec, nowMs);\n',
    test: "test/unit/supervise/handover.test.ts",
  },
  {
    name: "the next daemon does not see the second run",
    file: "src/supervise/adopt.ts",
    from: "  if (unit.successor !== undefined) return adoptBoth(life, unit, unit.successor, nowMs);\n",
    to: "",
    test: "test/unit/reconcile/handover.test.ts",
  },
  {
    name: "a hand-over that is under way is begun once more",
    file: "src/reconcile/cells/runs.ts",
    from: 'beside?.kind === "launching" || beside?.kind === "starting" ? beside.spec : spec',
    to: 'beside?.kind === "launching" ? beside.spec : spec',
    test: "test/unit/reconcile/handover.test.ts",
  },
  {
    name: "a daemon starts a run that has failed again and again",
    file: "src/plan/unit-wish.ts",
    from: "  if (leaveFailed && wasTried(seen, spec, all)) return undefined;\n",
    to: "",
    test: "test/unit/plan/units.test.ts",
  },
  {
    name: "a unit hands over while what it waits for is down",
    file: "src/plan/unit-change.ts",
    from: "const wish = isShaken ? stoppedFirst(asked.get(key)) : asked.get(key);",
    to: "const wish = asked.get(key);",
    test: "test/unit/plan/verbs.test.ts",
  },
  {
    name: "the old run answers for the readiness of the next",
    file: "src/manifest/rules.ts",
    from: 'fields["readiness"] !== "notify"',
    to: 'fields["readiness"] === "none"',
    test: "test/unit/manifest/rules.test.ts",
  },
  {
    name: "a unit has three runs",
    file: "src/warden/unit.c",
    from: "if (!launch->beside || first->next != NULL)",
    to: "if (!launch->beside)",
    test: "test/system/warden-handover.test.ts",
    built: true,
  },
  {
    name: "a second run is given other sockets",
    file: "src/warden/unit.c",
    from: "if (!listening_is_held(unit, launch))",
    to: "if (0)",
    test: "test/system/warden-handover.test.ts",
    built: true,
  },
  {
    name: "to end one run ends both",
    file: "src/warden/unit.c",
    from: "if (pid != NULL && run->pid != (pid_t)number)",
    to: "if (pid != NULL && number == 0)",
    test: "test/system/warden-handover.test.ts",
    built: true,
  },
  {
    name: "a daemon takes restarts that were asked for as the unit's own",
    file: "src/warden/directives.ts",
    from: "JSON.stringify({ ...unit, restarts })",
    to: "JSON.stringify({ ...unit, restarts: restarts + 1 })",
    test: "test/system/daemon.test.ts",
    built: true,
  },
];
