import { setImmediate } from "node:timers/promises";

import { expect, it } from "vitest";

import { mapBounded } from "../../src/bounded.js";

it("does all, so many at a time, and keeps their order", async () => {
  let running = 0;
  let most = 0;
  const doubled = await mapBounded([5, 1, 4, 2, 3, 0], 3, async (n) => {
    running += 1;
    most = Math.max(most, running);
    for (let turn = 0; turn < n; turn += 1) await setImmediate();
    running -= 1;
    return 2 * n;
  });
  expect(doubled).toEqual([10, 2, 8, 4, 6, 0]);
  expect(most).toBe(3);
  expect(await mapBounded([], 3, () => Promise.resolve(1))).toEqual([]);
});

it("begins no more after a failure, and lets what was begun end before it tells", async () => {
  const begun: number[] = [];
  const ended: number[] = [];
  const all = mapBounded([0, 1, 2, 3, 4, 5], 2, async (n) => {
    begun.push(n);
    if (n === 0) throw new Error("no");
    for (let turn = 0; turn < 5; turn += 1) await setImmediate();
    ended.push(n);
  });
  await expect(all).rejects.toThrow("no");
  expect(begun).toEqual([0, 1]);
  expect(ended).toEqual([1]);
});
