import { describe, expect, it } from "vitest";

import type { Limits } from "../../../src/spec/index.js";
import { HEAD, parseCell, problemsOf } from "./fixture.js";

function limitsOf(fields: string): Limits {
  return parseCell(`limits: { ${fields} }`).limits;
}

function limitProblems(fields: string): readonly string[] {
  return problemsOf(`${HEAD}limits: { ${fields} }`).map((line) =>
    line.replace(/^4:\d+ limits\.?/, ""),
  );
}

const SIZE = "expected max or a size from 4KiB to 1024TiB (units B, KiB, MiB, GiB, TiB)";

describe("limits in the kernel's form", () => {
  it.each([
    ["cpu.weight: 200", { "cpu.weight": "200" }],
    ["cpu.max: 50%", { "cpu.max": "50000 100000" }],
    ["cpu.max: 250%", { "cpu.max": "250000 100000" }],
    ["cpu.max: 20000 50000", { "cpu.max": "20000 50000" }],
    ["cpuset.cpus: 0", { "cpuset.cpus": "0" }],
    ['cpuset.cpus: "3,0-1,2,8,7"', { "cpuset.cpus": "0-3,7-8" }],
    ['cpuset.mems: "0-1"', { "cpuset.mems": "0-1" }],
    ["memory.min: 8KiB", { "memory.min": "8192" }],
    ["memory.low: 10000B", { "memory.low": "8192" }],
    ["memory.high: 1GiB", { "memory.high": "1073741824" }],
    ["io.weight: 1", { "io.weight": "1" }],
    ["pids.max: 2000", { "pids.max": "2000" }],
    [
      "io.max: [{ device: '8:16', wiops: 10 }, { device: '8:0', rbps: 1MiB, wbps: max }]",
      {
        "io.max":
          "8:0 rbps=1048576 wbps=max riops=max wiops=max\n8:16 rbps=max wbps=max riops=max wiops=10",
      },
    ],
  ])("%s", (fields, expected) => {
    expect(limitsOf(fields)).toEqual(expected);
  });

  it("leaves out what the kernel does by default", () => {
    const fields = [
      "cpu.weight: 100, cpu.max: max, memory.high: max, memory.max: max, memory.oom.group: false",
      "io.weight: 100, pids.max: max",
    ];
    expect(limitsOf(fields.join(", "))).toEqual({});
    expect(limitsOf("cpu.max: max 50000")).toEqual({});
  });

  it("kills a cell as a whole when its memory is limited, unless told otherwise", () => {
    expect(limitsOf("memory.max: 1MiB")).toEqual({
      "memory.max": "1048576",
      "memory.oom.group": "1",
    });
    expect(limitsOf("memory.max: 1MiB, memory.oom.group: false")).toEqual({
      "memory.max": "1048576",
    });
    expect(limitsOf("memory.oom.group: true")).toEqual({ "memory.oom.group": "1" });
  });
});

describe("numa", () => {
  it("names a node, which the daemon's host makes cpusets of", () => {
    expect(parseCell("limits: { numa: node1, pids.max: 5 }")).toMatchObject({
      limits: { "pids.max": "5" },
      numa: 1,
    });
  });

  it.each(["node", "node01", "0", "nodes"])("%s is no node", (value) => {
    expect(limitProblems(`numa: "${value}"`)).toEqual([
      `numa: expected a NUMA node of the daemon's host such as node0, got the string "${value}"`,
    ]);
  });

  it.each(["cpuset.cpus", "cpuset.mems"])("cannot stand beside %s", (file) => {
    expect(limitProblems(`numa: node0, ${file}: 0`)).toEqual([
      `numa: sets ${file} itself: say one of the two`,
    ]);
  });
});

describe("limits out of range", () => {
  it.each([
    ["cpu.weight: 0", "cpu.weight: expected a whole number from 1 to 10000, got the number 0"],
    [
      "cpu.weight: 10001",
      "cpu.weight: expected a whole number from 1 to 10000, got the number 10001",
    ],
    ["cpu.weight: 1.5", "cpu.weight: expected a whole number from 1 to 10000, got the number 1.5"],
    ["io.weight: -1", "io.weight: expected a whole number from 1 to 10000, got the number -1"],
    ['io.weight: "9"', 'io.weight: expected a whole number from 1 to 10000, got the string "9"'],
    ["pids.max: 0", "pids.max: expected max or a whole number from 1 to 4194304, got the number 0"],
    [
      "pids.max: many",
      'pids.max: expected max or a whole number from 1 to 4194304, got the string "many"',
    ],
    ["memory.max: 0B", `memory.max: ${SIZE}, got the string "0B"`],
    ["memory.max: 4095B", `memory.max: ${SIZE}, got the string "4095B"`],
    ["memory.max: 1025TiB", `memory.max: ${SIZE}, got the string "1025TiB"`],
    ["memory.max: -1", `memory.max: ${SIZE}, got the number -1`],
    [
      "memory.swap.max: 1",
      `memory.swap.max: ${SIZE.replace("4KiB", "0B")}, got the number 1; a size has a unit: 1MiB`,
    ],
    ["memory.max: 512", `memory.max: ${SIZE}, got the number 512; a size has a unit: 512MiB`],
    ["memory.max: 512M", `memory.max: ${SIZE}, got the string "512M"; write 512MiB`],
    ["memory.max: 2gb", `memory.max: ${SIZE}, got the string "2gb"; write 2GiB`],
    ["memory.max: 1.5GiB", `memory.max: ${SIZE}, got the string "1.5GiB"`],
    [
      "memory.oom.group: yes",
      'memory.oom.group: expected true or false, got the string "yes"; write true',
    ],
    ["io.max: []", "io.max: expected a list of at least one device"],
    [
      "io.max: [{ device: sda, rbps: 1MiB }]",
      'io.max[0].device: expected a block device\'s MAJOR:MINOR such as 8:0, got the string "sda"',
    ],
    [
      "io.max: [{ device: '8:0' }]",
      "io.max[0]: expected at least one of rbps, wbps, riops, wiops below max",
    ],
    [
      "io.max: [{ device: '8:0', riops: 1 }, { device: '8:0', wiops: 1 }]",
      "io.max: a device stands here twice",
    ],
    [
      "io.max: [{ device: '8:0', rbps: fast }]",
      'io.max[0].rbps: expected max or a size from 1B to 1024TiB (units B, KiB, MiB, GiB, TiB), got the string "fast"',
    ],
  ])("%s", (fields, problem) => {
    expect(limitProblems(fields)).toEqual([problem]);
  });

  const CPU =
    "cpu.max: expected max, a percentage of one CPU such as 150%, or QUOTA PERIOD in µs such as 150000 100000";
  it.each([
    ["2", `${CPU}, got the number 2`],
    ['"2,5"', `${CPU}, got the string "2,5"`],
    ["0%", `${CPU}, got the string "0%"`],
    [
      "999 100000",
      'cpu.max: expected a quota of at least 1000 µs (1%), got the string "999 100000"',
    ],
    ["5000 999", 'cpu.max: expected a period from 1000 to 1000000 µs, got the string "5000 999"'],
    [
      "5000 1000001",
      'cpu.max: expected a period from 1000 to 1000000 µs, got the string "5000 1000001"',
    ],
    ["819201%", 'cpu.max: expected at most 8192 CPUs, got the string "819201%"'],
  ])("cpu.max: %s", (value, problem) => {
    expect(limitProblems(`cpu.max: ${value}`)).toEqual([problem]);
  });

  it.each(["3-1", "0,,1", "8192", "0-", "a", "-1", "1.5"])("cpuset.cpus: %s", (value) => {
    expect(limitProblems(`cpuset.cpus: "${value}"`)).toEqual([
      `cpuset.cpus: expected a list of CPUs such as 0-3,8, each below 8192, got the string "${value}"`,
    ]);
  });

  it("names the nearest file for one that is not there", () => {
    expect(limitProblems("memory.maxx: 1GiB")[0]).toMatch(
      /^memory\.maxx: unknown field "memory\.maxx"; did you mean "memory\.max"\?; allowed: cpu\.weight, /,
    );
  });
});

describe("accept-missing-controllers", () => {
  it("is inherited by nested cells that do not say otherwise", () => {
    const text = `${HEAD}accept-missing-controllers: [cpu, io]
cells: { a: { cells: { b: { accept-missing-controllers: [] } } } }`;
    expect(problemsOf(text)).toEqual([]);
  });

  it("takes only controllers", () => {
    expect(problemsOf(`${HEAD}accept-missing-controllers: [memry]`)).toEqual([
      '4:30 accept-missing-controllers[0]: expected cpu, cpuset, memory, io or pids, got the string "memry"; did you mean "memory"?',
    ]);
  });
});
