// Waiting on a clock that is passed in: what ends a pause, what ends a deadline, and that neither leaves a timer behind.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { pause, systemClock, withDeadline } from "../../../src/reconcile/clock.js";
import { FakeClock } from "../../fake/clock.js";

function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const settled = promise.then(
    () => true,
    () => true,
  );
  return Promise.race([settled, new Promise<false>((resolve) => setImmediate(resolve, false))]);
}

describe("a pause", () => {
  it("ends when its time has passed, and not before", async () => {
    const clock = new FakeClock();
    const pausing = pause(clock, 100, new AbortController().signal);
    clock.advance(99);
    expect(await isSettled(pausing)).toBe(false);
    clock.advance(1);
    expect(await isSettled(pausing)).toBe(true);
  });

  it("does not heed the wall clock", async () => {
    const clock = new FakeClock();
    const pausing = pause(clock, 100, new AbortController().signal);
    clock.setWall(3_600_000);
    expect(await isSettled(pausing)).toBe(false);
    clock.setWall(-7_200_000);
    clock.advance(100);
    expect(await isSettled(pausing)).toBe(true);
  });

  it("ends when the signal aborts, and leaves no timer", async () => {
    const clock = new FakeClock();
    const stop = new AbortController();
    const pausing = pause(clock, 100, stop.signal);
    stop.abort();
    await pausing;
    expect(clock.armed).toBe(0);
  });

  it("does not begin when the signal has aborted", async () => {
    const clock = new FakeClock();
    await pause(clock, 100, AbortSignal.abort());
    expect(clock.armed).toBe(0);
  });
});

describe("a deadline", () => {
  const untilAborted = (signal: AbortSignal): Promise<string> =>
    new Promise((_resolve, reject) => {
      const give = (): void => {
        reject(signal.reason as Error);
      };
      if (signal.aborted) give();
      else signal.addEventListener("abort", give);
    });

  it("aborts what it is given to when its time has passed", async () => {
    const clock = new FakeClock();
    const act = withDeadline(clock, 100, untilAborted);
    clock.advance(100);
    await expect(act).rejects.toThrow("no end after 100 ms");
  });

  it("aborts with the reason of the other signal when that is sooner", async () => {
    const clock = new FakeClock();
    const stop = new AbortController();
    const act = withDeadline(clock, 100, untilAborted, stop.signal);
    stop.abort(new Error("the daemon ends"));
    await expect(act).rejects.toThrow("the daemon ends");
    expect(clock.armed).toBe(0);
  });

  it("has passed at once where the other signal has aborted before", async () => {
    const stopped = AbortSignal.abort(new Error("the daemon has ended"));
    const act = withDeadline(new FakeClock(), 100, untilAborted, stopped);
    await expect(act).rejects.toThrow("the daemon has ended");
  });

  it("gives back what the act returns, and leaves no timer", async () => {
    const clock = new FakeClock();
    expect(await withDeadline(clock, 100, () => Promise.resolve("done"))).toBe("done");
    expect(clock.armed).toBe(0);
  });
});

describe("the host's clock", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it("measures on another clock than it stamps with", () => {
    const beforeMs = systemClock.monotonicMs();
    vi.setSystemTime(systemClock.now() - 3_600_000);
    expect(systemClock.monotonicMs()).toBe(beforeMs);
  });

  it("waits longer than one timer of Node's can", () => {
    const days = 60 * 86_400_000;
    let called = 0;
    systemClock.after(days, () => (called += 1));
    vi.advanceTimersByTime(days - 1);
    expect(called).toBe(0);
    vi.advanceTimersByTime(1);
    expect(called).toBe(1);
  });

  it("can be told to forget a long wait at any time", () => {
    const days = 60 * 86_400_000;
    const cancel = systemClock.after(days, () => undefined);
    vi.advanceTimersByTime(days / 2);
    cancel();
    expect(vi.getTimerCount()).toBe(0);
  });
});
