import { expect, it } from "vitest";

import { collect } from "../../../src/api/collect.js";

async function read(items: AsyncIterable<number>): Promise<{ seen: number[]; error?: unknown }> {
  const seen: number[] = [];
  try {
    for await (const item of items) seen.push(item);
    return { seen };
  } catch (error) {
    return { seen, error };
  }
}

it("gives all that was reported, at once or later, in order", async () => {
  const items = collect<number>(async (report) => {
    report(1);
    report(2);
    await new Promise((resolve) => setImmediate(resolve));
    report(3);
  });
  expect(await read(items)).toEqual({ seen: [1, 2, 3] });
});

it("gives what was reported before it throws", async () => {
  const error = new Error("no");
  const items = collect<number>(async (report) => {
    report(1);
    await Promise.resolve();
    throw error;
  });
  expect(await read(items)).toEqual({ seen: [1], error });
});

it("throws what its function throws before it gives a promise", async () => {
  const error = new Error("no");
  const items = collect<number>(() => {
    throw error;
  });
  expect(await read(items)).toEqual({ seen: [], error });
});

it("does not end the process when it fails after its reader has left", async () => {
  let fail = (_error: Error) => {};
  const items = collect<number>((report) => {
    report(1);
    return new Promise((_resolve, reject) => (fail = reject));
  });
  for await (const item of items) {
    expect(item).toBe(1);
    break;
  }
  fail(new Error("nobody reads this"));
  await new Promise((resolve) => setImmediate(resolve));
});
