import { expect, it } from "vitest";

import { missingNodes, placeCells } from "../../../src/plan/place.js";
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
