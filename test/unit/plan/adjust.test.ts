import { describe, expect, it } from "vitest";

import { describeStep, planMonolith } from "../../../src/plan/index.js";
import type { UnitSpec, UnitState } from "../../../src/spec/index.js";
import { cell, cellStatus, desired, observed, ref, unit, unitStatus } from "../../fixture/index.js";
import { facts } from "./fixture.js";

const probe = { kind: "tcp", port: 3000, timeoutMs: 1_000 } as const;
const liveness = (intervalMs: number) => ({ liveness: { probe, intervalMs, failures: 3 } });
const old = unit("web", liveness(5_000));
const fresh = unit("web", liveness(10_000));
const CHANGED = "adjust shop:web: liveness.interval 5s → 10s";

function plan(wanted: readonly UnitSpec[], state: UnitState, leaveFailed = false) {
  const seen = observed([cellStatus(cell(), { units: [unitStatus(old, { state })] })]);
  const steps = planMonolith(desired([cell("shop", { units: wanted })]), seen, {
    ...facts,
    leaveFailed,
  });
  return steps.map((step) => `${describeStep(step)}: ${step.reason}`);
}

describe("a unit that differs only in what its supervisor uses", () => {
  it("is adjusted, and its process is left alone", () => {
    expect(plan([fresh], "running")).toEqual([CHANGED]);
    expect(plan([fresh], "degraded")).toEqual([CHANGED]);
  });

  it("is awaited all the same while it is starting", () => {
    expect(plan([fresh], "starting")).toEqual([CHANGED, "await shop:web: not ready yet"]);
  });

  it("takes the new spec with its start where it does not run", () => {
    for (const state of ["stopped", "stopping", "failed", "backoff", "crashloop"] as const) {
      const [first, second, ...more] = plan([fresh], state);
      expect(first).toMatch(/^start shop:web: /);
      expect([second, ...more]).toEqual(["await shop:web: until it is ready"]);
    }
  });

  it("is adjusted in a back-off that nobody has asked to end", () => {
    expect(plan([fresh], "backoff", true)).toEqual([CHANGED]);
    expect(plan([fresh], "crashloop", true)).toEqual([CHANGED]);
    expect(plan([old], "crashloop", true)).toEqual([]);
  });

  it("is restarted when anything else differs too, and its reason names both", () => {
    expect(plan([{ ...fresh, argv: ["/bin/new"] }], "running")).toEqual([
      'stop shop:web: argv[0] "/bin/web" → "/bin/new", liveness.interval 5s → 10s',
      'start shop:web: argv[0] "/bin/web" → "/bin/new", liveness.interval 5s → 10s',
      "await shop:web: until it is ready",
    ]);
  });

  it("does not run again when it is a one-shot that is done", () => {
    const migrate = unit("migrate", { oneShot: true });
    const seen = observed([cellStatus(cell("shop", { units: [migrate] }))]);
    const wanted = cell("shop", { units: [{ ...migrate, startTimeoutMs: 1 }] });
    expect(planMonolith(desired([wanted]), seen, facts)).toEqual([]);
  });

  it("is adjusted before anything starts, and need not be awaited by what does", () => {
    const jobs = unit("jobs", { after: [ref("shop:web")] });
    const seen = observed([cellStatus(cell("shop", { units: [old, jobs] }))]);
    const wanted = cell("shop", { units: [fresh, { ...jobs, argv: ["/bin/new"] }] });
    expect(planMonolith(desired([wanted]), seen, facts).map(describeStep)).toEqual([
      "stop shop:jobs",
      "adjust shop:web",
      "start shop:jobs",
      "await shop:jobs",
    ]);
  });
});
