import { describe, expect, it } from "vitest";

import type { UnitSpec } from "../../../src/spec/index.js";
import { advance, lifeToState, newLife } from "../../../src/supervise/index.js";
import type { UnitEvent } from "../../../src/supervise/index.js";
import { unit } from "../../fixture/index.js";
import {
  describeEffect,
  exited,
  play,
  ready,
  start,
  started,
  stop,
  timer,
} from "../../fixture/life.js";

const probed = unit("web", { readiness: { kind: "tcp", port: 3000, timeoutMs: 1_000 } });
const plain = unit("web");
const oneShot = unit("migrate", { oneShot: true });
const alive = unit("web", {
  liveness: {
    probe: { kind: "tcp", port: 3000, timeoutMs: 1_000 },
    intervalMs: 10_000,
    failures: 3,
  },
});

function restarting(over: Partial<UnitSpec["restart"]>, spec = plain): UnitSpec {
  return { ...spec, restart: { ...spec.restart, ...over } };
}

describe("a start", () => {
  it("asks the warden and shows the unit as starting", () => {
    expect(play(plain, start(plain)).does).toEqual(["start", "report starting"]);
  });

  it("is ready at once without a readiness probe", () => {
    const { does, seen } = play(plain, start(plain), started);
    expect(does).toEqual(["report running"]);
    expect(seen).toEqual({ state: "running", ready: true, restarts: 0 });
  });

  it("begins probing and arms the start timeout when there is a readiness probe", () => {
    const { does, seen } = play(probed, start(probed), [100, started]);
    expect(does).toEqual(["arm 60100", "begin-readiness"]);
    expect(seen).toEqual({ state: "starting", ready: false, restarts: 0 });
  });

  it("waits for READY=1 without probing when readiness is notify", () => {
    const notify = unit("web", { readiness: { kind: "notify" } });
    expect(play(notify, start(notify), started).does).toEqual(["arm 60000"]);
    expect(play(notify, start(notify), started, ready).does).toEqual([
      "disarm",
      "end-probes",
      "report running",
    ]);
  });

  it("hears READY=1 also when it overtakes the answer to the start", () => {
    const notify = unit("web", { readiness: { kind: "notify" } });
    expect(play(notify, start(notify), ready).seen.state).toBe("starting");
    expect(play(notify, start(notify), ready, started).seen.state).toBe("running");
  });

  it("goes over to liveness when it is ready", () => {
    const spec = { ...alive, readiness: probed.readiness };
    expect(play(spec, start(spec), started, ready).does).toEqual([
      "disarm",
      "end-probes",
      "begin-liveness",
      "report running",
    ]);
  });

  it("tells why it is not ready yet, once per reason", () => {
    const failing: UnitEvent = { kind: "probe-failed", reason: "connection refused" };
    expect(play(probed, start(probed), started, failing).does).toEqual([
      "report starting (connection refused)",
    ]);
    expect(play(probed, start(probed), started, failing, failing).does).toEqual([]);
  });

  it("is refused by the warden: backs off and tries again", () => {
    const failed: UnitEvent = { kind: "start-failed", reason: "cannot exec: ENOENT" };
    const { does } = play(plain, start(plain), failed);
    expect(does).toEqual(["arm 1000", "report backoff (cannot exec: ENOENT)"]);
  });

  it("that is not ready in time is stopped, and counts as a failure", () => {
    const late = play(probed, start(probed), started, [60_000, timer]);
    expect(late.does).toEqual([
      "disarm",
      "end-probes",
      "stop",
      "report stopping (not ready after 60 s)",
    ]);
    const { state, effects } = advance(late.life, exited({ signal: "SIGTERM" }), 61_000);
    expect(effects.map(describeEffect)).toEqual([
      "arm 62000",
      "report backoff (not ready after 60 s)",
    ]);
    expect(state.failures).toBe(1);
  });

  it("names the last probe's answer when it is not ready in time", () => {
    const refused: UnitEvent = { kind: "probe-failed", reason: "connection refused" };
    const { seen } = play(probed, start(probed), started, refused, [60_000, timer]);
    expect(seen.reason).toBe("not ready after 60 s: connection refused");
  });

  it("ignores a timer that fires early, and arms it again", () => {
    expect(play(probed, start(probed), started, [59_999, timer]).does).toEqual(["arm 60000"]);
    expect(play(plain, start(plain), started, exited(), [999, timer]).does).toEqual(["arm 1000"]);
  });

  it("of a running unit changes nothing", () => {
    expect(play(plain, start(plain), started, start(plain)).does).toEqual([]);
  });

  it("of a unit that is being stopped waits for its end and uses the new spec", () => {
    const changed = unit("web", { argv: ["/bin/web", "--new"] });
    expect(play(plain, start(plain), started, stop, start(changed)).does).toEqual([]);
    const { effects } = play(plain, start(plain), started, stop, start(changed), exited());
    expect(effects[0]).toEqual({ kind: "start", spec: changed });
  });

  it("during a back-off starts at once and begins a new row of failures", () => {
    const { does, life } = play(plain, start(plain), started, exited(), start(plain));
    expect(does).toEqual(["disarm", "start", "report starting"]);
    expect(life.failures).toBe(0);
  });
});

describe("a one-shot", () => {
  it("is done when it exits clean, whatever the restart policy", () => {
    const { does } = play(oneShot, start(oneShot), started, exited({ code: 0 }));
    expect(does).toEqual(["disarm", "end-probes", "report done"]);
  });

  it("is not ready while it runs, not even when it says so", () => {
    const { seen, does } = play(oneShot, start(oneShot), started, ready);
    expect(does).toEqual([]);
    expect(seen.state).toBe("starting");
  });

  it("that fails is tried again, or failed for good under never", () => {
    expect(play(oneShot, start(oneShot), started, exited()).seen.state).toBe("backoff");
    const once = restarting({ policy: "never" }, oneShot);
    const { seen } = play(once, start(once), started, exited());
    expect(seen).toMatchObject({ state: "failed", reason: "exit 1, restart never" });
  });

  it("that does not end in time is stopped", () => {
    const { does } = play(oneShot, start(oneShot), started, [60_000, timer]);
    expect(does).toContain("stop");
    expect(does.at(-1)).toBe("report stopping (no end after 60 s)");
  });

  it("that was asked to stop is stopped, even when it exits clean", () => {
    expect(play(oneShot, start(oneShot), started, stop, exited({ code: 0 })).seen.state).toBe(
      "stopped",
    );
  });

  it("that is done stays done when it is asked to stop", () => {
    expect(play(oneShot, start(oneShot), started, exited({ code: 0 }), stop).seen.state).toBe(
      "done",
    );
  });
});

describe("an end nobody asked for", () => {
  const dies = { code: 1 };
  const clean = { code: 0 };
  const byTerm = { signal: "SIGTERM" };
  it.each([
    ["always", dies, "backoff"],
    ["always", clean, "backoff"],
    ["on-failure", dies, "backoff"],
    ["on-failure", byTerm, "backoff"],
    ["on-failure", clean, "failed"],
    ["never", dies, "failed"],
    ["never", clean, "failed"],
  ] as const)("under %s with %o leaves the unit in %s", (policy, exit, state) => {
    const spec = restarting({ policy });
    expect(play(spec, start(spec), started, exited(exit)).seen.state).toBe(state);
  });

  it("counts a signal as clean when the manifest says so", () => {
    const spec = { ...restarting({ policy: "on-failure" }), cleanExits: [0, "SIGTERM"] as const };
    expect(play(spec, start(spec), started, exited(byTerm)).seen.state).toBe("failed");
    const shot = { ...oneShot, cleanExits: ["SIGTERM"] as const };
    expect(play(shot, start(shot), started, exited(byTerm)).seen.state).toBe("done");
  });

  it("doubles the back-off from min to max, then shows a crash loop retried at max", () => {
    const spec = restarting({ backoffMinMs: 1_000, backoffMaxMs: 10_000, crashLoopAfter: 6 });
    let { state: life } = advance(newLife(spec), start(spec), 0);
    const seen: string[] = [];
    for (let failure = 1; failure <= 7; failure += 1) {
      ({ state: life } = advance(life, started, 0));
      const { state, effects } = advance(life, exited(), 0);
      const wait = effects.find((effect) => effect.kind === "arm-timer")?.atMs ?? 0;
      seen.push(`${lifeToState(state).state} ${String(wait)}`);
      ({ state: life } = advance(state, timer, wait));
    }
    expect(seen).toEqual([
      "backoff 1000",
      "backoff 2000",
      "backoff 4000",
      "backoff 8000",
      "backoff 10000",
      "crashloop 10000",
      "crashloop 10000",
    ]);
    expect(lifeToState(life)).toMatchObject({ state: "starting", restarts: 7 });
  });

  it("begins a new row of failures after being ready for long enough", () => {
    const crash = [started, exited(), [1_000, timer]] as const;
    const short = play(plain, start(plain), ...crash, [1_000, started], [60_999, exited()]);
    expect(short.does).toContain("arm 62999");
    const long = play(plain, start(plain), ...crash, [1_000, started], [61_000, exited()]);
    expect(long.does).toContain("arm 62000");
  });

  it("does not begin a new row for a unit that ran long but was never ready", () => {
    const slow = { ...probed, startTimeoutMs: 600_000 };
    const crash = [started, exited(), [1_000, timer]] as const;
    const { life } = play(slow, start(slow), ...crash, [1_000, started], [500_000, exited()]);
    expect(life.failures).toBe(2);
  });

  it("that overtakes the answer to its start still counts once", () => {
    const overtaken = play(plain, start(plain), exited());
    expect(overtaken.seen.state).toBe("backoff");
    expect(advance(overtaken.life, started, 0)).toEqual({ state: overtaken.life, effects: [] });
  });
});

describe("liveness", () => {
  const hung: UnitEvent = { kind: "liveness-failed", reason: "no answer in 1000 ms" };

  it("stops a hung unit, then starts it again after the back-off", () => {
    const stopping = play(alive, start(alive), started, hung);
    expect(stopping.does).toEqual([
      "disarm",
      "end-probes",
      "stop",
      "report stopping (not alive: no answer in 1000 ms)",
    ]);
    const ended = advance(stopping.life, exited({ signal: "SIGTERM" }), 5_000);
    expect(ended.effects[0]).toEqual({ kind: "arm-timer", atMs: 6_000 });
    expect(advance(ended.state, timer, 6_000).effects[0]).toEqual({ kind: "start", spec: alive });
  });

  it("forgets earlier failures when the unit had been ready for long enough", () => {
    const crash = [started, exited(), [1_000, timer]] as const;
    const { life } = play(alive, start(alive), ...crash, [1_000, started], [90_000, hung]);
    expect(life.failures).toBe(0);
  });

  it("leaves a hung unit failed under never", () => {
    const spec = restarting({ policy: "never" }, alive);
    const { seen } = play(spec, start(spec), started, hung, exited());
    expect(seen.state).toBe("failed");
  });
});

describe("a stop", () => {
  it("ends timers and probes, runs the stop steps, and the exit makes it stopped", () => {
    const { does, life } = play(probed, start(probed), started, stop);
    expect(does).toEqual(["disarm", "end-probes", "stop", "report stopping"]);
    expect(lifeToState(advance(life, exited(), 0).state)).toEqual({
      state: "stopped",
      ready: false,
      restarts: 0,
    });
  });

  it("asked twice runs the stop steps once", () => {
    expect(play(plain, start(plain), started, stop, stop).does).toEqual([]);
  });

  it("cancels a back-off", () => {
    const { does } = play(plain, start(plain), started, exited(), stop);
    expect(does).toEqual(["disarm", "report stopped"]);
  });

  it("during the start waits for the warden's answer, then stops what it started", () => {
    expect(play(plain, start(plain), stop).does).toEqual(["report stopping"]);
    expect(play(plain, start(plain), stop, started).does).toEqual(["stop"]);
    const failed: UnitEvent = { kind: "start-failed", reason: "ENOENT" };
    expect(play(plain, start(plain), stop, failed).does).toEqual(["report stopped"]);
  });

  it("takes the place of a restart that is under way", () => {
    const hung: UnitEvent = { kind: "liveness-failed", reason: "no answer" };
    const { does, seen } = play(alive, start(alive), started, hung, stop, exited());
    expect(does).toEqual(["report stopped"]);
    expect(seen.state).toBe("stopped");
  });

  it("makes a failed unit stopped", () => {
    const spec = restarting({ policy: "never" });
    expect(play(spec, start(spec), started, exited(), stop).seen.state).toBe("stopped");
  });
});
