import { describe, expect, it } from "vitest";

import { missingControllers, planMonolith } from "../../../src/plan/index.js";
import type { Limits } from "../../../src/spec/index.js";
import { cell, cellStatus, desired, monolith, observed } from "../../fixture/index.js";

function planLimits(wanted: Limits, seen: Limits): readonly (readonly [string, string])[] {
  const spec = cell("shop", { limits: wanted });
  const steps = planMonolith(desired([spec]), observed([cellStatus(spec, { limits: seen })]), {
    offered: ["cpu", "memory", "io", "pids", "cpuset"],
    keeps: [],
  });
  return steps.map((step) => [step.kind === "set-limit" ? step.text : step.kind, step.reason]);
}

describe("the limits of a running cell", () => {
  it("are written file by file, sizes in words", () => {
    expect(planLimits({ "memory.max": "1073741824" }, { "memory.max": "536870912" })).toEqual([
      ["1073741824", "memory.max 512MiB → 1GiB"],
    ]);
    expect(planLimits({ "cpu.weight": "200", "pids.max": "50" }, {})).toEqual([
      ["200", "cpu.weight 100 → 200"],
      ["50", "pids.max max → 50"],
    ]);
  });

  it("are written so that a kill for want of memory takes what it should", () => {
    const limits = { "memory.max": "4096", "memory.oom.group": "1", "memory.high": "4096" };
    expect(planLimits(limits, {}).map(([, reason]) => reason.split(" ")[0])).toEqual([
      "memory.high",
      "memory.oom.group",
      "memory.max",
    ]);
  });

  it("go back to the kernel's default when the manifest no longer has them", () => {
    const seen = {
      "cpu.max": "50000 100000",
      "cpuset.cpus": "0-1",
      "io.weight": "50",
      "memory.low": "4096",
    };
    expect(planLimits({}, seen)).toEqual([
      ["max 100000", "cpu.max 50000 100000 → max 100000, removed from the manifest"],
      ["", "cpuset.cpus 0-1 → all, removed from the manifest"],
      ["0", "memory.low 4KiB → 0, removed from the manifest"],
      ["100", "io.weight 50 → 100, removed from the manifest"],
    ]);
    const device = "8:0 rbps=1 wbps=max riops=max wiops=max";
    expect(planLimits({}, { "io.max": device })).toEqual([
      ["", `io.max ${device} → max, removed from the manifest`],
    ]);
  });

  it("are not written when they are the kernel's default, which is not read back", () => {
    expect(planLimits({ "memory.max": "max", "cpu.weight": "100", "memory.min": "0" }, {})).toEqual(
      [],
    );
  });
});

describe("controllers the host does not offer", () => {
  const spec = cell("shop", {
    limits: { "memory.max": "4096", "cpu.weight": "200", "cpuset.cpus": "0" },
    acceptMissingControllers: ["cpu"],
  });

  it("are named with cell and file unless the manifest accepts to go without", () => {
    expect(missingControllers(monolith([spec]), ["cpuset"])).toEqual([
      { cell: "shop", file: "memory.max", controller: "memory" },
    ]);
    expect(missingControllers(monolith([spec]), ["cpu", "memory", "cpuset"])).toEqual([]);
  });

  it("have their limits left out, of a new cell as of a running one", () => {
    const facts = { offered: ["memory"], keeps: [] } as const;
    const steps = planMonolith(desired([spec]), observed(), facts);
    expect(steps).toMatchObject([{ kind: "allocate", spec: { limits: { "memory.max": "4096" } } }]);
    const [allocate] = steps;
    expect(allocate?.kind === "allocate" && Object.keys(allocate.spec.limits)).toEqual([
      "memory.max",
    ]);
    const seen = observed([cellStatus(spec, { limits: { "memory.max": "4096" } })]);
    expect(planMonolith(desired([spec]), seen, facts)).toEqual([]);
  });
});
