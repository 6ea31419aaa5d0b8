// Every defence and every promise of durability has a test that fails without it. Not part of `npm test`: each
// mutation builds and runs a copy of the checkout. `npm run mutate`.

import { describe, expect, it } from "vitest";

import { MUTATIONS } from "./mutations.js";
import { tryMutation } from "./mutation.js";

describe.each(MUTATIONS)("$test notices that", (mutation) => {
  it(mutation.name, async () => {
    const { failed, said } = await tryMutation(mutation);
    expect(failed, said).toBe(true);
  });
});
