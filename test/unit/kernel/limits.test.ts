import { describe, expect, it } from "vitest";

import { filesOf, normaliseLimit, planWrites } from "../../../src/kernel/limits.js";
import { LIMIT_DEFAULTS, LIMIT_FILES, controllerOf } from "../../../src/spec/index.js";
import type { LimitFile } from "../../../src/spec/index.js";

describe("normaliseLimit", () => {
  it.each<[LimitFile, string, string]>([
    ["memory.max", "max\n", "max"],
    ["memory.max", "1073741824\n", "1073741824"],
    ["io.weight", "default 100\n8:0 50\n", "100"],
    ["cpu.max", "max 50000\n", "max 100000"],
    ["cpu.max", "50000\n", "50000 100000"],
    ["cpu.max", "200000 100000\n", "200000 100000"],
    ["cpuset.cpus", "\n", ""],
    ["cpuset.cpus", "5,0,1-2,3", "0-3,5"],
    ["cpuset.cpus", "all", "all"],
    [
      "io.max",
      "8:16 rbps=max wbps=1048576 riops=max wiops=max\n",
      "8:16 rbps=max wbps=1048576 riops=max wiops=max",
    ],
    [
      "io.max",
      "8:16 wiops=120 rbps=max\n8:0 rbps=1",
      "8:0 rbps=1 wbps=max riops=max wiops=max\n8:16 rbps=max wbps=max riops=max wiops=120",
    ],
    ["io.max", "8:0 rbps=max wbps=max riops=max wiops=max", ""],
  ])("%s: %j is %j", (file, text, normal) => {
    expect(normaliseLimit(file, text)).toBe(normal);
    expect(normaliseLimit(file, normal)).toBe(normal);
  });

  it("leaves every default as it is", () => {
    for (const file of LIMIT_FILES) {
      expect(normaliseLimit(file, LIMIT_DEFAULTS[file])).toBe(LIMIT_DEFAULTS[file]);
    }
  });
});

describe("planWrites", () => {
  it("writes most limits as they are", () => {
    expect(planWrites("memory.max", "max", "4096")).toEqual(["4096"]);
    expect(planWrites("io.weight", "default 100", "200")).toEqual(["default 200"]);
    expect(planWrites("cpuset.cpus", "0-1", "")).toEqual([""]);
  });

  it("lifts the io.max of devices that are no longer limited", () => {
    expect(planWrites("io.max", "8:0 rbps=1\n8:16 rbps=2", "8:16 rbps=3")).toEqual([
      "8:0 rbps=max wbps=max riops=max wiops=max",
      "8:16 rbps=3 wbps=max riops=max wiops=max",
    ]);
  });
});

describe("controllerOf", () => {
  it("is the word before the first dot", () => {
    expect(controllerOf("memory.oom.group")).toBe("memory");
    expect(filesOf({ "pids.max": "1", "cpu.max": "max 100000" }).map(controllerOf)).toEqual([
      "cpu",
      "pids",
    ]);
  });
});
