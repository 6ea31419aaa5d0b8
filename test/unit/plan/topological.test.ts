import fc from "fast-check";
import { expect, it } from "vitest";

import { orderByDependency } from "../../../src/plan/topological.js";

type Ports = Readonly<Record<string, readonly string[]>>;

function order(edges: Ports): string {
  return orderByDependency(Object.keys(edges), (node) => edges[node] ?? []).join(" ");
}

it("puts dependencies first and keeps the given order among equals", () => {
  expect(order({ web: ["db"], cache: [], db: [], jobs: ["db", "web"] })).toBe("cache db web jobs");
});

it("puts what waits for nothing before what waits for something", () => {
  expect(order({ db: ["init"], init: [], cache: [] })).toBe("init cache db");
});

it("ends on a cycle, with every node once", () => {
  expect(
    order({ a: ["b"], b: ["c"], c: ["a"], d: [] })
      .split(" ")
      .sort(),
  ).toEqual(["a", "b", "c", "d"]);
});

it("orders any graph without cycles", () => {
  const graphs = fc
    .array(fc.array(fc.nat(100), { maxLength: 4 }), { minLength: 1, maxLength: 20 })
    .map((rows) => rows.map((row, index) => (index === 0 ? [] : row.map((to) => to % index))))
    .chain((rows) =>
      fc.tuple(
        fc.constant(rows),
        fc.shuffledSubarray([...rows.keys()], { minLength: rows.length }),
      ),
    );
  fc.assert(
    fc.property(graphs, ([rows, nodes]) => {
      const ordered = orderByDependency(nodes, (node) => rows[node] ?? []);
      expect([...ordered].sort()).toEqual([...nodes].sort());
      for (const [at, node] of ordered.entries()) {
        for (const dependency of rows[node] ?? [])
          expect(ordered.indexOf(dependency)).toBeLessThan(at);
      }
    }),
  );
});
