import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  describeStep,
  planMonolith,
  planRestart,
  planStart,
  planStop,
  unitKey,
} from "../../../src/plan/index.js";
import type { Controller, Desired, Observed, UnitRef, UnitSpec } from "../../../src/spec/index.js";
import { anyDesired, anyObserved, anyTouchableObserved, simulate } from "../../fixture/index.js";

const facts = { offered: ["cpu", "memory", "io", "pids"] satisfies Controller[], keeps: [] };
const RUNS = { numRuns: 300 };

function allUnits({ spec }: Desired): readonly UnitRef[] {
  return spec.cells.flatMap((cell) =>
    cell.units.map((unit) => ({ cell: cell.name, unit: unit.name })),
  );
}

/** Units that cannot be up because an operator stopped what they wait for, directly or not. */
function waitForStopped(desired: Desired): ReadonlySet<string> {
  const waiting = new Set(desired.stopped);
  for (let before = -1; before !== waiting.size;) {
    before = waiting.size;
    for (const { name: cell, units } of desired.spec.cells) {
      for (const { name: unit, after } of units) {
        if (after.some((other) => waiting.has(unitKey(other))))
          waiting.add(unitKey({ cell, unit }));
      }
    }
  }
  return waiting;
}

function allocatedCells({ cells }: Observed): readonly string[] {
  const allocated = cells.filter(({ state }) => state !== "absent" && state !== "blocked");
  return allocated.map(({ name }) => name).sort();
}

function withoutAfter({ after: _, ...unit }: UnitSpec): Omit<UnitSpec, "after"> {
  return unit;
}

function expectReached(desired: Desired, seen: Observed): void {
  const { spec } = desired;
  expect(allocatedCells(seen)).toEqual(spec.cells.map(({ name }) => name).sort());
  const exempt = waitForStopped(desired);
  for (const cell of spec.cells) {
    const status = seen.cells.find(({ name }) => name === cell.name);
    expect(status).toMatchObject({
      state: "running",
      boundary: cell.boundary,
      publish: cell.publish,
    });
    for (const unit of cell.units) {
      const found = status?.units.find(({ name }) => name === unit.name);
      const key = unitKey({ cell: cell.name, unit: unit.name });
      if (desired.stopped.includes(key)) {
        expect([undefined, "stopped", "done", "failed"]).toContain(found?.state);
      } else if (!exempt.has(key)) {
        expect(["running", "done", "degraded"], key).toContain(found?.state);
        expect(found?.spec.argv, key).toEqual(unit.argv);
        if (found?.state !== "done") expect(found?.spec, key).toMatchObject(withoutAfter(unit));
      }
    }
    const undeclared = status?.units.filter(
      (found) => !cell.units.some(({ name }) => name === found.name),
    );
    for (const { state } of undeclared ?? [])
      expect(["stopped", "done", "failed"]).toContain(state);
  }
}

describe("planMonolith", () => {
  it("from any observed state reaches desired, then plans nothing", () => {
    fc.assert(
      fc.property(anyDesired, anyTouchableObserved, (desired, observed) => {
        const reached = simulate(observed, planMonolith(desired, observed, facts));
        expectReached(desired, reached);
        expect(planMonolith(desired, reached, facts)).toEqual([]);
      }),
      RUNS,
    );
  });

  it("plans only what can be done around frozen and quarantined cells, and never in them", () => {
    fc.assert(
      fc.property(fc.option(anyDesired, { nil: undefined }), anyObserved, (desired, observed) => {
        const steps = planMonolith(desired, observed, facts);
        const reached = simulate(observed, steps);
        expect(planMonolith(desired, reached, facts)).toEqual([]);
        const untouchable = observed.cells.filter(
          ({ state }) => state === "frozen" || state === "quarantined",
        );
        for (const { name } of untouchable) {
          const inside = steps.filter(
            (step) => "cell" in step && `${step.cell}/`.startsWith(`${name}/`),
          );
          // What is nested in a quarantined cell and comes by itself may be waited for: nothing is done to it.
          const done = inside.filter((step) => step.kind !== "await" || step.cell === name);
          expect(done.map(describeStep)).toEqual([]);
        }
      }),
      RUNS,
    );
  });

  it("of nothing desired frees every cell and keeps every volume", () => {
    fc.assert(
      fc.property(anyTouchableObserved, (observed) => {
        const reached = simulate(observed, planMonolith(undefined, observed, facts));
        const left = reached.cells.filter(({ state }) => state !== "absent" && state !== "blocked");
        expect(left).toEqual([]);
        expect(reached.volumes).toEqual(observed.volumes);
      }),
      RUNS,
    );
  });
});

describe("the verbs", () => {
  it("plan only what can be done, whatever is observed", () => {
    fc.assert(
      fc.property(anyDesired, anyObserved, fc.func(fc.boolean()), (desired, observed, picks) => {
        const targets = allUnits(desired).filter((one) => picks(unitKey(one)));
        for (const plan of [planStart, planStop, planRestart]) {
          const stoppable = plan === planStop ? onlyRunning(observed) : observed;
          simulate(stoppable, plan(desired, stoppable, targets));
        }
      }),
      RUNS,
    );
  });
});

// A stop in an unsupervised cell is planned too: the executor kills instead. The simulator has no such thing.
function onlyRunning(observed: Observed): Observed {
  return { ...observed, cells: observed.cells.filter(({ state }) => state === "running") };
}
