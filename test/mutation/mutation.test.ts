// Every defence and every promise of durability has a test that fails without it. Not part of `npm test`: each
// mutation builds and runs a copy of the checkout. `npm run mutate`.

import { describe, expect, it } from "vitest";

import { mutate, runInCopy } from "./mutation.js";
import { MUTATIONS } from "./mutations.js";

const RUNS = [...new Map(MUTATIONS.map(({ test, built }) => [test, { test, built }])).values()];

describe("a copy in which nothing was removed", () => {
  it.each(RUNS)("passes $test", async ({ test, built }) => {
    const run = { test, ...(built === undefined ? {} : { built }) };
    const { failed, said } = await runInCopy(run, () => Promise.resolve());
    expect(failed, said).toEqual([]);
  });
});

describe.each(MUTATIONS)("$test notices that", (mutation) => {
  it(mutation.name, async () => {
    const { failed, said } = await runInCopy(mutation, (copy) => mutate(copy, mutation));
    expect(failed, said).toContain(mutation.fails);
  });
});
