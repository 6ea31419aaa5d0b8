import { expect, it } from "vitest";

import { missingNodes, outOfReach, placeCells } from "../../../src/plan/place.js";
import type { CellSpec, Limits } from "../../../src/spec/index.js";
import { cell, monolith } from "../../fixture/builders.js";

const topology = {
  ...{ cpus: "0-3", mems: "0-1" },
  nodes: [
    { number: 0, cpus: "0-1" },
    { number: 1, cpus: "2-3" },
  ],
};

function place(over: Partial<CellSpec>): Limits | undefined {
  return placeCells(monolith([cell("shop", over)]), topology).cells[0]?.limits;
}

it("spells a node out as its CPUs and its memory", () => {
  expect(place({ numa: 1, limits: { "pids.max": "9" } })).toEqual({
    "pids.max": "9",
    "cpuset.cpus": "2-3",
    "cpuset.mems": "1",
  });
});

it("leaves out a cpuset that is all there is: it reads as none", () => {
  const limits = { "cpuset.cpus": "0-3", "cpuset.mems": "0-1" };
  expect(place({ limits })).toEqual({});
  expect(place({ limits: { "cpuset.cpus": "0", "cpuset.mems": "0" } })).toEqual({
    "cpuset.cpus": "0",
    "cpuset.mems": "0",
  });
});

it("finds the nodes the host lacks", () => {
  const spec = monolith([cell("shop", { numa: 0 }), cell("shop/web", { numa: 2 })]);
  expect(missingNodes(spec, topology)).toEqual([{ cell: "shop/web", node: 2 }]);
});

it("finds the CPUs and memory nodes a cell cannot have, of the host or of the cell around it", () => {
  const spec = monolith([
    cell("shop", { limits: { "cpuset.cpus": "0-1,4,6" } }),
    cell("shop/web", { limits: { "pids.max": "9" } }),
    cell("shop/web/app", { limits: { "cpuset.cpus": "1-2", "cpuset.mems": "1" } }),
  ]);
  expect(outOfReach(spec, topology)).toEqual([
    { cell: "shop", file: "cpuset.cpus", numbers: [4, 6], available: "0-3" },
    ...[{ cell: "shop/web/app", file: "cpuset.cpus", numbers: [2], available: "0-1,4,6" }].map(
      (found) => ({ ...found, within: "shop" }),
    ),
  ]);
  expect(outOfReach(spec, { cpus: "", mems: "", nodes: [] })).toEqual([
    expect.objectContaining({ cell: "shop/web/app" }),
  ]);
});
