import { describe, expect, it } from "vitest";

import type { UnitSpec } from "../../../src/spec/index.js";
import { adoptedLife, advance, lifeToState } from "../../../src/supervise/index.js";
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

const probe = { kind: "tcp", port: 3000, timeoutMs: 1_000 } as const;
const other = { ...probe, port: 4000 };
const liveness = { probe, intervalMs: 10_000, failures: 3 };
const health = { probe, intervalMs: 15_000, failures: 2 };
const web = unit("web", { readiness: probe, liveness, health });
const unhealthy: UnitEvent = { kind: "unhealthy", reason: "status 500" };
const probeFailed: UnitEvent = { kind: "probe-failed", reason: "refused" };

function changed(over: Partial<UnitSpec>, without: readonly (keyof UnitSpec)[] = []): UnitEvent {
  const fields = Object.entries({ ...web, ...over });
  const kept = fields.filter(([name]) => !without.includes(name as keyof UnitSpec));
  return { kind: "spec-changed", spec: Object.fromEntries(kept) as unknown as UnitSpec };
}

describe("the spec of a unit that is ready", () => {
  const up = [start(web), started, ready] as const;

  it("changes without an end of its process, and the probes are those of the new one", () => {
    const event = changed({ liveness: { ...liveness, probe: other } });
    const { life, does, seen } = play(web, ...up, event);
    expect(does).toEqual(["end-probes", "begin-liveness", "begin-health"]);
    expect(life.spec.liveness?.probe).toEqual(other);
    expect(seen).toEqual({ state: "running", ready: true, restarts: 0 });
  });

  it("leaves probes that are the same to go on, with what they have counted", () => {
    const event = changed({ restart: { ...web.restart, staggerMs: 5_000 }, readiness: other });
    const { life, does } = play(web, ...up, unhealthy, event);
    expect(does).toEqual([]);
    expect(life.spec.restart.staggerMs).toBe(5_000);
    expect(lifeToState(life)).toMatchObject({ state: "degraded", reason: "status 500" });
  });

  it("clears a doubt of a health probe that is another now, or gone", () => {
    const another = play(web, ...up, unhealthy, changed({ health: { ...health, failures: 9 } }));
    expect(another.does).toEqual([
      ...["end-probes", "begin-liveness", "begin-health"],
      "report running",
    ]);
    const gone = play(web, ...up, unhealthy, changed({}, ["health", "liveness"]));
    expect(gone.does).toEqual(["end-probes", "report running"]);
  });

  it("keeps a doubt where only liveness has changed", () => {
    const event = changed({ liveness: { ...liveness, failures: 9 } });
    expect(play(web, ...up, unhealthy, event).seen.state).toBe("degraded");
  });

  it("counts how long it has been ready from when it was", () => {
    const failing = [start(web), started, exited(), timer, started] as const;
    const event = changed({ health: { ...health, failures: 9 } });
    const ended = play(web, ...failing, [2_000, ready], [61_999, event], [62_000, exited()]);
    expect(ended.life.failures).toBe(1);
  });
});

describe("the spec of a unit that is not ready yet", () => {
  const up = [start(web), started] as const;

  it("is probed as the new one says, for as long as that says from its start", () => {
    const event = changed({ readiness: other, startTimeoutMs: 90_000 });
    const { life, does } = play(web, ...up, [1_000, event]);
    expect(does).toEqual(["disarm", "end-probes", "arm 90000", "begin-readiness"]);
    expect(life.spec.readiness).toEqual(other);
  });

  it("is late at once when it has taken longer than the new one allows", () => {
    const event = changed({ startTimeoutMs: 1_000 });
    const late = play(web, ...up, probeFailed, [5_000, event], [5_000, timer]);
    expect(late.does).toContain("stop");
    expect(late.seen.reason).toBe("not ready after 1 s: refused");
  });

  it("makes it ready when nothing is asked of it any more", () => {
    const { does, seen } = play(web, ...up, changed({ readiness: { kind: "none" } }));
    expect(does).toEqual([
      ...["disarm", "end-probes", "begin-liveness", "begin-health"],
      "report running",
    ]);
    expect(seen.ready).toBe(true);
  });

  it("forgets what the probe before it saw", () => {
    expect(
      play(web, ...up, probeFailed, changed({ readiness: other })).seen.reason,
    ).toBeUndefined();
    const same = changed({ restart: { ...web.restart, staggerMs: 5_000 } });
    expect(play(web, ...up, probeFailed, same).seen.reason).toBe("refused");
  });

  it("has no deadline, and liveness, where a new daemon took it up as ready", () => {
    const told = {
      ...{ spec: web, running: true, stopping: false, notified: false, wasReady: true },
      ...{ ranForMs: 3_600_000, restarts: 0 },
    };
    const { state } = adoptedLife(told, true, 3_600_000);
    const { effects } = advance(state, changed({ readiness: other }), 3_600_000);
    expect(effects.map(describeEffect)).toEqual([
      ...["disarm", "end-probes", "begin-readiness", "begin-liveness"],
    ]);
  });
});

describe("the spec of a unit that does not run", () => {
  it("changes and nothing else does, and the next start is with the new one", () => {
    const patient = changed({ startTimeoutMs: 90_000 });
    const phases = [
      ["stopped", [start(web), started, stop, exited()]],
      ["backoff", [start(web), started, exited()]],
      ["stopping", [start(web), started, stop]],
      ["starting", [start(web)]],
    ] as const;
    for (const [state, events] of phases) {
      const { does, seen, life } = play(web, ...events, patient);
      expect([state, does, seen.state]).toEqual([state, [], state]);
      expect(life.spec.startTimeoutMs).toBe(90_000);
    }
    const { effects } = play(web, start(web), started, exited(), patient, [60_000, timer]);
    expect(effects[0]).toMatchObject({ kind: "start", spec: { startTimeoutMs: 90_000 } });
  });

  it("leaves a pause that is under way as it is, and the next is as the new one says", () => {
    const restart = { ...web.restart, backoffMinMs: 5_000 };
    const waiting = [start(web), started, exited(), changed({ restart })] as const;
    expect(play(web, ...waiting, [999, timer]).does).toEqual(["arm 1000"]);
    const again = play(web, ...waiting, [1_000, timer], [1_000, started], [1_000, exited()]);
    expect(again.does).toContain("arm 11000");
  });
});
