import { expect, it } from "vitest";

import type { CellStats, CellStatus } from "../../../src/api/gen/henge/v1/henge.js";
import { cellText, cellToJson, cellsTable } from "../../../src/cli/cells.js";

const MEASURED: CellStats = {
  memoryBytes: 100 * 1024 ** 2,
  memoryMaxBytes: 512 * 1024 ** 2,
  cpuUsageUs: 90_000_000,
  pids: 17,
  oomKills: 2,
  ioReadBytes: 4_096,
  ioWrittenBytes: 0,
  pressureAvg10: { memory: 2.5 },
};
const NOTHING_COUNTED: CellStats = { cpuUsageUs: 1_000_000, pressureAvg10: {} };

function cell(name: string, units: readonly string[], stats?: CellStats): CellStatus {
  return {
    ...{ name, state: "running", limits: {}, publish: [], stats },
    units: units.map((unit) => ({ name: unit, state: "running", ready: true, restarts: 0 })),
  };
}

it("has what a cell uses in its first row, and - for what this host does not count", () => {
  const cells = [cell("shop", [], NOTHING_COUNTED), cell("shop/web", ["a", "b"], MEASURED)];
  const [head, shop, first, second] = cellsTable(cells, 0).split("\n");
  expect(head).toMatch(/LAST EXIT +MEMORY +PIDS +CPU TIME$/);
  expect(shop).toMatch(/ - +- +1s$/);
  expect(first).toMatch(/^shop\/web +running +a .* 100MiB +17 +1m 30s$/);
  expect(second).toMatch(/^shop\/web +running +b .* - +- +-$/);
});

it("has no column for it where nothing is known", () => {
  expect(cellsTable([cell("shop", ["a"])], 0)).toMatch(/LAST EXIT\n/);
});

it("is an object in JSON, with null for what is not counted", () => {
  expect(cellToJson(cell("shop", [], NOTHING_COUNTED))).toHaveProperty("stats", {
    ...{ memoryBytes: null, memoryMaxBytes: null, cpuUsageUs: 1_000_000, pids: null },
    ...{ oomKills: null, ioReadBytes: null, ioWrittenBytes: null, pressureAvg10: {} },
  });
  expect(cellToJson(cell("shop", []))).not.toHaveProperty("stats");
});

it("is told in full of one cell", () => {
  expect(cellText(cell("shop", [], MEASURED), 0)).toMatch(
    /memory bound: 512MiB\nout of memory: 2 killed\nread: 4KiB\nwritten: 0B\nwaits for memory: 2.50% /,
  );
});
