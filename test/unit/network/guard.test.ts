// When the rules are looked at; what is looked at is in test/system.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { guardRules } from "../../../src/network/guard.js";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A guard whose looks answer in turn; the last answer again and again. */
function guardWith(...answers: readonly (boolean | Error)[]) {
  const seen = { looks: 0, told: [] as (string | undefined)[], failed: 0 };
  const end = new AbortController();
  const changed = guardRules(
    {
      restore: () => {
        const answer = answers[Math.min(seen.looks++, answers.length - 1)] ?? false;
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
      },
      told: (by) => seen.told.push(by),
      failed: () => (seen.failed += 1),
    },
    end.signal,
  );
  return { seen, changed, end };
}

describe("a guard of rules", () => {
  it("tells who changed them only when it had to put them back", async () => {
    const { seen, changed } = guardWith(false, true);
    changed("nft[1]");
    await vi.advanceTimersByTimeAsync(0);
    expect(seen).toMatchObject({ looks: 1, told: [] });
    changed("nft[2]");
    await vi.advanceTimersByTimeAsync(0);
    expect(seen).toMatchObject({ looks: 2, told: ["nft[2]"] });
  });

  it("looks once for changes that come together, and not at all without one", async () => {
    const { seen, changed } = guardWith(false);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(seen.looks).toBe(0);
    for (let change = 0; change < 100; change += 1) changed();
    await vi.advanceTimersByTimeAsync(60_000);
    // The first change is looked at at once; those that came while it looked, together.
    expect(seen.looks).toBe(2);
  });

  it("fights nobody more than once a second", async () => {
    const { seen, changed } = guardWith(true);
    for (let change = 0; change < 100; change += 1) {
      changed();
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(seen.looks).toBeGreaterThanOrEqual(9);
    expect(seen.looks).toBeLessThanOrEqual(11);
  });

  it("tries again by itself when it could not, more and more seldom", async () => {
    const { seen, changed } = guardWith(new Error("no nft"), new Error("no nft"), true);
    changed();
    await vi.advanceTimersByTimeAsync(4_500);
    expect(seen).toMatchObject({ looks: 2, failed: 2 });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(seen).toMatchObject({ looks: 3, told: [undefined] });
  });

  it("looks no more once it is ended", async () => {
    const { seen, changed, end } = guardWith(true);
    changed();
    await vi.advanceTimersByTimeAsync(0);
    changed();
    end.abort();
    await vi.advanceTimersByTimeAsync(60_000);
    changed();
    await vi.advanceTimersByTimeAsync(0);
    expect(seen.looks).toBe(1);
  });
});
