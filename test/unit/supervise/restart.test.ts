// A unit that ends, or hangs, though nobody asked for it: whether it is started again, and when.

import { describe, expect, it } from "vitest";

import { advance, lifeToState, newLife } from "../../../src/supervise/index.js";
import type { UnitEvent } from "../../../src/supervise/index.js";
import {
  alive,
  exited,
  oneShot,
  plain,
  play,
  probed,
  restarting,
  start,
  started,
  timer,
} from "../../fixture/life.js";

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
