// A unit from the start somebody asked for to the stop somebody asked for.

import { describe, expect, it } from "vitest";

import { advance, lifeToState } from "../../../src/supervise/index.js";
import type { UnitEvent } from "../../../src/supervise/index.js";
import { unit } from "../../fixture/index.js";
import {
  alive,
  describeEffect,
  exited,
  oneShot,
  plain,
  play,
  probed,
  ready,
  restarting,
  start,
  started,
  stop,
  timer,
} from "../../fixture/life.js";

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
