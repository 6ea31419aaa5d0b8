// What a restart that hands over defends: whatever happens, one run goes on.

import type { Mutation } from "./mutation.js";

export const HANDOVER: readonly Mutation[] = [
  {
    name: "the old run is stopped before the next is ready",
    file: "src/supervise/handover.ts",
    from: "  if (beside.notified === true) return takeOver(",
    to: "  if (nowMs >= 0) return takeOver(",
    test: "test/unit/supervise/handover.test.ts",
    fails: "a hand-over > stops the old run when the next is ready, and not before",
  },
  {
    name: "a next run that fails takes the old one with it",
    file: "src/supervise/handover.ts",
    from: 'return same({ ...life, beside }, [{ kind: "stop-run", run: "beside" }]);',
    to: 'return same({ ...life, beside }, [{ kind: "stop" }]);',
    test: "test/unit/supervise/handover.test.ts",
    fails:
      "a next run that fails > is ended when it is not ready in time, and is not believed after that",
  },
  {
    name: "a next run that is too late takes over all the same",
    file: "src/supervise/handover.ts",
    from: '    case "failed":\n    case "retiring":\n      return same(life);\n',
    to: '    case "failed":\n    case "retiring":\n      return takeOver(life, life.spec, nowMs);\n',
    test: "test/unit/supervise/handover.test.ts",
    fails:
      "a next run that fails > is ended when it is not ready in time, and is not believed after that",
  },
  {
    name: "the next daemon does not see the second run",
    file: "src/supervise/adopt.ts",
    from: "  if (unit.successor !== undefined) return adoptBoth(life, unit, unit.successor, nowMs);\n",
    to: "",
    test: "test/unit/reconcile/handover.test.ts",
    fails: "is finished by the next daemon, wherever the last one was killed",
  },
  {
    name: "a hand-over that is under way is begun once more",
    file: "src/reconcile/cells/runs.ts",
    from: 'beside?.kind === "launching" || beside?.kind === "starting" ? beside.spec : spec',
    to: 'beside?.kind === "launching" ? beside.spec : spec',
    test: "test/unit/reconcile/handover.test.ts",
    fails: "that a manifest asked for is not begun twice when the daemon is killed on the way",
  },
  {
    name: "a daemon starts a run that has failed again and again",
    file: "src/plan/unit-wish.ts",
    from: "  if (leaveFailed && wasTried(seen, spec, all)) return undefined;\n",
    to: "",
    test: "test/unit/plan/units.test.ts",
    fails:
      "a unit as it should be, in each state > does not try again, unless somebody asks, what a unit has handed over to in vain",
  },
  {
    name: "a unit hands over while what it waits for is down",
    file: "src/plan/unit-change.ts",
    from: "const wish = isShaken ? stoppedFirst(asked.get(key)) : asked.get(key);",
    to: "const wish = asked.get(key);",
    test: "test/unit/plan/verbs.test.ts",
    fails:
      "a restart of units that hand over or take turns > stops all of them first when what they wait for is restarted too",
  },
  {
    name: "the old run answers for the readiness of the next",
    file: "src/manifest/rules.ts",
    from: 'fields["readiness"] !== "notify"',
    to: 'fields["readiness"] === "none"',
    test: "test/unit/manifest/rules.test.ts",
    fails:
      "a unit that hands over > is taken as it is, and one that does not is the same as before",
  },
  {
    name: "a unit has three runs",
    file: "src/warden/units/unit.c",
    from: "if (!launch->beside || first->next != NULL)",
    to: "if (!launch->beside)",
    test: "test/system/warden-handover.test.ts",
    fails: "two runs of a unit > are two at most, and a second has to be asked for",
    built: true,
  },
  {
    name: "a second run is given other sockets",
    file: "src/warden/units/unit.c",
    from: "if (!listening_is_held(unit, launch))",
    to: "if (0)",
    test: "test/system/warden-handover.test.ts",
    fails: "two runs of a unit > have the same sockets or there is no second",
    built: true,
  },
  {
    name: "to end one run ends both",
    file: "src/warden/units/unit.c",
    from: "if (pid != NULL && run->pid != (pid_t)number)",
    to: "if (pid != NULL && number == 0)",
    test: "test/system/warden-handover.test.ts",
    fails:
      "two runs of a unit > share the sockets, are told apart by their pids, and end one without the other",
    built: true,
  },
  {
    name: "a daemon takes restarts that were asked for as the unit's own",
    file: "src/warden/directives.ts",
    from: "JSON.stringify({ ...unit, restarts })",
    to: "JSON.stringify({ ...unit, restarts: restarts + 1 })",
    test: "test/system/daemon.test.ts",
    fails:
      "a daemon that is killed > tells of an end it did not see, exactly, and restarts that unit once",
    built: true,
  },
];
