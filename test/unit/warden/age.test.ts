import { expect, it } from "vitest";

import type { CellName, UnitName } from "../../../src/spec/index.js";
import { withAges } from "../../../src/warden/age.js";
import type { WardenState, WardenUnit } from "../../../src/warden/port.js";
import { boundary, unit } from "../../fixture/index.js";

const IN_A_YEAR_MS = 365 * 86_400_000;

function stateOf(told: Partial<WardenUnit>): WardenState {
  const run = { spec: unit(), running: true, stopping: false, notified: false };
  return {
    ...{
      cell: "shop" as CellName,
      wardenPid: 1,
      initPid: 2,
      uidBase: 0,
      boundary: boundary("shop"),
    },
    units: [{ name: "web" as UnitName, ...run, ...{ starts: 1, restarts: 0 }, ...told }],
  };
}

it("takes the age of a run from the kernel, whatever the warden's stamp says", async () => {
  const ranAtLeastMs = process.uptime() * 1000;
  const stamped = stateOf({ pid: process.pid, startedAtMs: Date.now() + IN_A_YEAR_MS });
  const [told] = (await withAges(stamped)).units;
  expect(told?.ranForMs).toBeGreaterThan(ranAtLeastMs - 50);
  expect(told?.ranForMs).toBeLessThan(IN_A_YEAR_MS);
});

it("tells the age of the run beside it, too", async () => {
  const { starts: _, name: _name, ...successor } = stateOf({ pid: process.pid }).units[0]!;
  const [told] = (await withAges(stateOf({ pid: process.pid, successor }))).units;
  expect(told?.successor?.ranForMs).toBeGreaterThan(0);
});

it("tells none of what has ended, or ends at this moment", async () => {
  const ended = stateOf({ running: false });
  expect(await withAges(ended)).toEqual(ended);
  // No process has this pid: it is beyond the largest that pid_max allows.
  const gone = stateOf({ pid: 4_194_305 });
  expect(await withAges(gone)).toEqual(gone);
});
