import { describe, expect, it } from "vitest";

import type { UnitSpec } from "../../../src/spec/index.js";
import { advance, isUp, lifeToState } from "../../../src/supervise/index.js";
import type { UnitEvent } from "../../../src/supervise/index.js";
import { unit } from "../../fixture/index.js";
import { exited, play, ready, start, started, timer } from "../../fixture/life.js";

const web = unit("web");
const away: UnitEvent = { kind: "dependencies", missing: "shop/db:db", pauseMs: 0 };
const back: UnitEvent = { kind: "dependencies", pauseMs: 250 };
const running = [start(web), started] as const;

describe("an end while what a unit starts after is not up", () => {
  it("is no failure of its own, whatever its status, and waits for that", () => {
    for (const code of [0, 1, 137]) {
      const { life, seen, does } = play(web, ...running, away, [1_000, exited({ code })]);
      const reason = `exit ${String(code)} while shop/db:db is not up`;
      expect(does).toEqual(["disarm", "end-probes", "arm 61000", `report backoff (${reason})`]);
      expect(seen).toMatchObject({ state: "backoff", ready: false, reason });
      expect(life.failures).toBe(0);
    }
  });

  it("is followed by a start as soon as that is up, after the unit's place in the queue", () => {
    const waiting = [...running, away, [1_000, exited()]] as const;
    expect(play(web, ...waiting, [9_000, back]).does).toEqual(["arm 9250"]);
    expect(play(web, ...waiting, [9_000, back], [9_250, timer]).does).toEqual([
      "start",
      "report starting",
    ]);
  });

  it("is tried again now and then, and never becomes a crash loop", () => {
    let { life } = play(web, ...running, away, exited());
    for (let n = 1; n <= 10; n++) {
      const untilMs = n * 60_000;
      ({ state: life } = advance(life, timer, untilMs));
      expect(lifeToState(life).state).toBe("starting");
      ({ state: life } = advance(life, started, untilMs));
      ({ state: life } = advance(life, exited(), untilMs));
      expect(lifeToState(life)).toMatchObject({ state: "backoff", restarts: n });
    }
  });

  it("also excuses a start that was not ready in time, and a program that no longer answers", () => {
    const probe = { kind: "tcp", port: 1, timeoutMs: 1 } as const;
    const slow = unit("web", { readiness: probe });
    const late = play(slow, start(slow), started, away, [60_000, timer], [61_000, exited()]);
    expect(late.seen).toMatchObject({
      state: "backoff",
      reason: "not ready after 60 s while shop/db:db is not up",
    });
    expect(late.life.failures).toBe(0);
    const live = unit("web", { liveness: { probe, intervalMs: 1, failures: 1 } });
    const hung: UnitEvent = { kind: "liveness-failed", reason: "no answer" };
    expect(play(live, start(live), started, away, hung, exited()).life.failures).toBe(0);
  });

  it("waits under on-failure even when it was clean, and is final under never", () => {
    const under = (policy: UnitSpec["restart"]["policy"]): string => {
      const spec = { ...web, restart: { ...web.restart, policy } };
      return play(spec, start(spec), started, away, exited({ code: 0 })).seen.state;
    };
    expect(["always", "on-failure", "never"].map((one) => under(one as "always"))).toEqual([
      "backoff",
      "backoff",
      "failed",
    ]);
  });

  it("leaves a one-shot done that ended clean", () => {
    const shot = unit("migrate", { oneShot: true });
    expect(play(shot, start(shot), started, away, exited({ code: 0 })).seen.state).toBe("done");
  });

  it("shows a unit that was in a crash loop before as waiting", () => {
    const spec = { ...web, restart: { ...web.restart, crashLoopAfter: 1 } };
    const looping = [start(spec), started, exited(), [60_000, timer]] as const;
    expect(play(spec, ...looping, started, exited()).seen.state).toBe("crashloop");
    expect(play(spec, ...looping, started, away, exited()).seen.state).toBe("backoff");
  });
});

describe("an end at nearly the same time", () => {
  it("a moment before is taken back", () => {
    const before = play(web, ...running, [1_000, exited()]);
    expect(before.life.failures).toBe(1);
    const { life, does } = play(web, ...running, [1_000, exited()], [1_900, away]);
    expect(life.failures).toBe(0);
    expect(does).toEqual(["arm 61900", "report backoff (exit 1 while shop/db:db is not up)"]);
  });

  it("long before is the unit's own", () => {
    const { life, does } = play(web, ...running, [1_000, exited()], [6_000, away]);
    expect([life.failures, does]).toEqual([1, []]);
  });

  it("some seconds after it was over is excused, once", () => {
    const over = [...running, [1_000, away], [2_000, back]] as const;
    const { life, seen, does } = play(web, ...over, [6_999, exited()]);
    expect(life.failures).toBe(0);
    expect(seen.reason).toBe("exit 1 soon after shop/db:db was not up");
    expect(does).toContain("arm 8249");
    const again = [
      [8_249, timer],
      [8_250, started],
      [8_260, exited()],
    ] as const;
    expect(play(web, ...over, [6_999, exited()], ...again).life.failures).toBe(1);
  });

  it("longer after it was over is the unit's own", () => {
    const over = [...running, [1_000, away], [2_000, back]] as const;
    expect(play(web, ...over, [7_000, exited()]).life.failures).toBe(1);
  });
});

describe("a unit in a crash loop of its own", () => {
  it("is tried at once when something it needs has come back", () => {
    const spec = { ...web, restart: { ...web.restart, crashLoopAfter: 1 } };
    const looping = [start(spec), started, exited(), [30_000, away]] as const;
    expect(play(spec, ...looping).seen.state).toBe("crashloop");
    expect(play(spec, ...looping, [31_000, back]).does[0]).toBe("arm 31250");
  });
});

describe("what a unit is to those that start after it", () => {
  it("is up when it is ready or done, and not while it is degraded", () => {
    const probe = { kind: "tcp", port: 1, timeoutMs: 1 } as const;
    const spec = unit("web", { readiness: probe });
    expect(isUp(play(spec, start(spec), started).life)).toBe(false);
    const up = play(spec, start(spec), started, ready);
    expect(isUp(up.life)).toBe(true);
    expect(isUp(advance(up.life, { kind: "unhealthy", reason: "no" }, 0).state)).toBe(false);
    const shot = unit("migrate", { oneShot: true });
    expect(isUp(play(shot, start(shot), started, exited({ code: 0 })).life)).toBe(true);
  });
});
