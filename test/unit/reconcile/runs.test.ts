import { describe, expect, it } from "vitest";

import { KernelError } from "../../../src/errors.js";
import { Runs, startFailure } from "../../../src/reconcile/cells/runs.js";
import { newLife } from "../../../src/supervise/index.js";
import { unit } from "../../fixture/index.js";

const spec = unit("web");
const alone = newLife(spec);
const handing = { ...alone, beside: { kind: "launching", spec } } as const;

describe("what a process does", () => {
  it("is that of the run beside, also before its pid is known", () => {
    const runs = new Runs();
    runs.inCharge = { pid: 7 };
    expect([7, 8].map((pid) => runs.isBeside(pid, handing))).toEqual([false, true]);
    runs.beside = { pid: 8 };
    expect([7, 8, 9].map((pid) => runs.isBeside(pid, handing))).toEqual([false, true, false]);
    expect(runs.isBeside(8, alone)).toBe(false);
  });

  it("is that of the run in charge where a warden of an older version does not say whose it is", () => {
    const runs = new Runs();
    runs.inCharge = { pid: 7 };
    expect(runs.isBeside(undefined, handing)).toBe(false);
    expect([undefined, 7, 9].map((pid) => runs.isInCharge(pid))).toEqual([true, true, false]);
  });
});

it("says what to do with a cell whose warden knows one run of a unit only", () => {
  const refused = new KernelError("request", "EINVAL", { path: "beside" });
  expect(startFailure(refused)).toBe(
    "its cell was allocated by an older Henge; stop and start it instead",
  );
});
