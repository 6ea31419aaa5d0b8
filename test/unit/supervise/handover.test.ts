import { describe, expect, it } from "vitest";

import type { ExitStatus } from "../../../src/spec/index.js";
import { adoptedLife, advance, lifeToState, newLife } from "../../../src/supervise/index.js";
import type { AdoptedUnit, UnitEffect, UnitEvent, UnitLife } from "../../../src/supervise/index.js";
import { unit } from "../../fixture/index.js";

const old = unit("web", {
  argv: ["/old"],
  readiness: { kind: "notify" },
  handover: true,
  liveness: { probe: { kind: "tcp", port: 1, timeoutMs: 1 }, intervalMs: 1, failures: 1 },
});
const next = { ...old, argv: ["/new"] };

const started: UnitEvent = { kind: "started", pid: 7 };
const handOver: UnitEvent = { kind: "hand-over-requested", spec: next };
const nextReady: UnitEvent = { kind: "beside-ready" };
const stop: UnitEvent = { kind: "stop-requested" };
const timer: UnitEvent = { kind: "timer" };
const running: readonly UnitEvent[] = [
  { kind: "start-requested", spec: old },
  started,
  { kind: "ready" },
];

function exited(exit: Partial<ExitStatus> = { code: 1 }): UnitEvent & { kind: "exited" } {
  return { kind: "exited", exit: { atMs: 0, ...exit } };
}

function besideExited(exit: Partial<ExitStatus> = { code: 1 }): UnitEvent {
  return { ...exited(exit), kind: "beside-exited" };
}

/** Plays events at their times, `[ms, event]`, or at 0, after the unit is ready; returns the last one's effects. */
function play(...events: readonly (UnitEvent | readonly [number, UnitEvent])[]) {
  let life: UnitLife = newLife(old);
  let effects: readonly UnitEffect[] = [];
  for (const entry of [...running, ...events]) {
    const [atMs, event] = "kind" in entry ? [0, entry] : entry;
    ({ state: life, effects } = advance(life, event, atMs));
  }
  const program = life.spec.argv[0];
  return { life, program, ...lifeToState(life), does: effects.map(describeEffect) };
}

function describeEffect(effect: UnitEffect): string {
  switch (effect.kind) {
    case "arm-timer":
      return `arm ${String(effect.atMs)}`;
    case "start":
    case "start-beside":
      return `${effect.kind} ${effect.spec.argv[0] ?? ""}`;
    case "stop-run":
      return `stop ${effect.run}`;
    case "handed-over":
      return effect.failure === undefined ? "handed over" : `not handed over (${effect.failure})`;
    case "report":
      return `report ${effect.state}${effect.reason === undefined ? "" : ` (${effect.reason})`}`;
    case "stop":
    case "disarm":
    case "swap":
    case "begin-readiness":
    case "begin-liveness":
    case "begin-health":
    case "end-probes":
      return effect.kind;
  }
}

describe("a hand-over", () => {
  it("starts the next run beside the one in charge, which stays as it is", () => {
    const { does, state, ready, program } = play(handOver);
    expect(does).toEqual([
      "start-beside /new",
      "report running (hands over: the next run is not ready yet)",
    ]);
    expect({ state, ready, program }).toEqual({ state: "running", ready: true, program: "/old" });
  });

  it("gives the next run its start timeout and no probe that the old run would answer", () => {
    expect(play(handOver, [100, started]).does).toEqual(["arm 60100"]);
  });

  it("stops the old run when the next is ready, and not before", () => {
    const { does, program, ready } = play(handOver, started, nextReady);
    expect(does).toEqual([
      "disarm",
      "end-probes",
      "swap",
      "begin-liveness",
      "stop beside",
      "report running (took over: the run before is ending)",
    ]);
    expect({ program, ready }).toEqual({ program: "/new", ready: true });
  });

  it("is over when the old run is gone", () => {
    const { does, life, program } = play(handOver, started, nextReady, besideExited());
    expect(does).toEqual(["handed over", "report running"]);
    expect(life.beside).toBeUndefined();
    expect(program).toBe("/new");
  });

  it("does not need the answer before the readiness it tells of", () => {
    const { program, does } = play(handOver, nextReady, started);
    expect(program).toBe("/new");
    expect(does).toContain("stop beside");
  });

  it("changes no spec of either run while there are two", () => {
    const event: UnitEvent = { kind: "spec-changed", spec: { ...next, startTimeoutMs: 1 } };
    const { does, life, program } = play(handOver, started, event);
    expect(does).toEqual([]);
    expect(life.beside).toMatchObject({ kind: "starting", deadlineMs: 60_000 });
    expect({ program, timeout: life.spec.startTimeoutMs }).toEqual({
      program: "/old",
      timeout: 60_000,
    });
    expect(play(handOver, started, nextReady, event).life.spec.startTimeoutMs).toBe(60_000);
  });

  it("is asked for in vain where the unit is not ready", () => {
    expect(play(exited(), handOver).does).toEqual([]);
  });
});

describe("a next run that fails", () => {
  it("leaves the old one in charge when it cannot be started", () => {
    const { does, program, state } = play(handOver, { kind: "start-failed", reason: "ENOENT" });
    expect(does).toEqual(["not handed over (ENOENT)", "report running"]);
    expect({ program, state }).toEqual({ program: "/old", state: "running" });
  });

  it("leaves the old one in charge when it ends, also before it was known to run", () => {
    const { does, program } = play(handOver, started, besideExited({ code: 3 }));
    expect(does).toEqual(["disarm", "not handed over (exit 3)", "report running"]);
    expect(program).toBe("/old");
    const early = play(handOver, besideExited({ code: 3 }), started);
    expect(early.program).toBe("/old");
    expect(early.life.beside).toBeUndefined();
  });

  it("is ended when it is not ready in time, and is not believed after that", () => {
    const late = play(handOver, started, [60_000, timer]);
    expect(late.does).toEqual([
      "stop beside",
      "report running (did not hand over: not ready after 60 s)",
    ]);
    expect(play(handOver, started, [60_000, timer], nextReady)).toMatchObject({
      does: [],
      program: "/old",
    });
    const gone = play(handOver, started, [60_000, timer], besideExited());
    expect(gone.does).toEqual(["not handed over (not ready after 60 s)", "report running"]);
    expect(gone).toMatchObject({ program: "/old", state: "running", restarts: 0 });
  });

  it("is waited for again by a timer that came early", () => {
    expect(play(handOver, started, [59_999, timer]).does).toEqual(["arm 60000"]);
  });
});

describe("an old run that ends by itself during a hand-over", () => {
  it("leaves the unit to the next one, with the time that one has left", () => {
    const { does, program, state } = play(handOver, [100, started], exited());
    expect(does).toEqual(["end-probes", "swap", "handed over", "report starting"]);
    expect({ program, state }).toEqual({ program: "/new", state: "starting" });
    expect(play(handOver, [100, started], exited(), { kind: "ready" }).state).toBe("running");
    expect(play(handOver, [100, started], exited(), [60_100, timer]).does[0]).toBe("disarm");
  });

  it("leaves it to the next one also while that is being started", () => {
    const { does, life, program } = play(handOver, exited(), [5, started]);
    expect(does).toEqual(["arm 60005"]);
    expect(life.phase.kind).toBe("starting");
    expect(program).toBe("/new");
  });

  it("is started again only when the next one, which has failed, is gone", () => {
    const failed = play(handOver, started, [60_000, timer], exited({ code: 5 }));
    expect(failed).toMatchObject({ state: "stopping", reason: "exit 5", program: "/old" });
    const gone = play(handOver, started, [60_000, timer], exited({ code: 5 }), exited());
    expect(gone).toMatchObject({ state: "backoff", reason: "exit 5" });
    expect(gone.does[0]).toMatch(/^arm/);
  });

  it("and does not answer any more ends without the next one", () => {
    const sick = play(handOver, started, { kind: "liveness-failed", reason: "no answer" });
    expect(sick.does.slice(0, 2)).toEqual(["end-probes", "stop in-charge"]);
    expect(sick.life.beside?.kind).toBe("starting");
    const taken = play(
      handOver,
      started,
      { kind: "liveness-failed", reason: "no answer" },
      nextReady,
    );
    expect(taken).toMatchObject({ program: "/new", state: "running" });
  });

  it("is missed as any other when it is the next one that ends, once the old one is gone too", () => {
    const { state, does } = play(handOver, started, nextReady, exited({ signal: "SIGSEGV" }));
    expect(state).toBe("stopping");
    expect(does.slice(0, 3)).toEqual(["end-probes", "swap", "handed over"]);
    const gone = play(handOver, started, nextReady, exited({ signal: "SIGSEGV" }), exited());
    expect(gone).toMatchObject({ state: "backoff", reason: "SIGSEGV", program: "/new" });
  });
});

describe("a stop during a hand-over", () => {
  it("ends both runs, in whichever order they go", () => {
    const asked = play(handOver, started, stop);
    expect(asked.does).toEqual(["disarm", "end-probes", "stop", "report stopping"]);
    expect(play(handOver, started, stop, besideExited(), exited()).state).toBe("stopped");
    expect(play(handOver, started, stop, exited(), exited()).state).toBe("stopped");
  });

  it("ends the next one as soon as it is known", () => {
    expect(play(handOver, stop, started).does).toEqual(["stop beside"]);
    expect(play(handOver, stop, exited(), started).does).toEqual(["stop"]);
    expect(play(handOver, stop, exited(), started, exited()).state).toBe("stopped");
  });

  it("that is followed by a start has one run again, once both are gone", () => {
    const again: UnitEvent = { kind: "start-requested", spec: next };
    const { does } = play(handOver, started, stop, again, exited(), exited());
    expect(does).toEqual(["start /new", "report starting"]);
  });
});

describe("a daemon that comes back during a hand-over", () => {
  const run = { running: true, stopping: false, notified: true, ranForMs: 1_000, restarts: 1 };
  const wasReady = true;

  function adopt(first: Partial<AdoptedUnit>, successor: Partial<AdoptedUnit>) {
    const adopted = {
      ...run,
      spec: old,
      wasReady,
      ...first,
      successor: { ...run, spec: next, ...successor },
    };
    const { state, effects } = adoptedLife(adopted, true, 1_000);
    const program = state.spec.argv[0];
    return { life: state, program, ...lifeToState(state), does: effects.map(describeEffect) };
  }

  it("waits for the next run until the deadline it had", () => {
    const { does, program, ready, life } = adopt({}, { notified: false });
    expect(does).toEqual(["begin-liveness", "arm 60000"]);
    expect({ program, ready }).toEqual({ program: "/old", ready: true });
    expect(life.beside?.kind).toBe("starting");
  });

  it("lets a next run that is ready take over, and stops the old one", () => {
    const { does, program } = adopt({}, {});
    expect(does).toEqual(["disarm", "end-probes", "swap", "begin-liveness", "stop beside"]);
    expect(program).toBe("/new");
    expect(adopt({ stopping: true }, {}).program).toBe("/new");
  });

  it("keeps the old one when the next is being ended", () => {
    const { life, program, state } = adopt({}, { stopping: true, notified: false });
    expect({ program, state }).toEqual({ program: "/old", state: "running" });
    expect(life.beside?.kind).toBe("failed");
  });

  it("lets both end that are being stopped", () => {
    const { state, life } = adopt({ stopping: true }, { stopping: true });
    expect(state).toBe("stopping");
    expect(life.beside?.kind).toBe("failed");
  });
});
