import { expect, it } from "vitest";

import { CellStatus_State, UnitStatus_State } from "../../../src/api/gen/henge/v1/henge.js";
import { hengeService } from "../../../src/api/service.js";
import { CELL_STATES, UNIT_STATES } from "../../../src/spec/index.js";

it("names the states of cells and units in the proto as in the spec", () => {
  expect(Object.keys(CellStatus_State)).toEqual([...CELL_STATES]);
  expect(Object.keys(UnitStatus_State)).toEqual([...UNIT_STATES]);
});

it("carries a cell unchanged, also what is absent, empty or large", () => {
  const { responseSerialize, responseDeserialize } = hengeService.Get;
  const cell = {
    name: "shop",
    state: "absent" as const,
    limits: { "memory.max": "max" },
    publish: [],
    units: [
      {
        ...{ name: "web", state: "stopped" as const, ready: false, restarts: 0 },
        startedAtMs: Date.UTC(9999, 0),
        exit: { outOfMemory: false, code: 0, atMs: 0 },
      },
    ],
  };
  expect(responseDeserialize(responseSerialize(cell))).toEqual(cell);
});

it("leaves a field that was not set absent, and gives a word for what has a default", () => {
  const { requestDeserialize } = hengeService.Logs;
  expect(requestDeserialize(Buffer.alloc(0))).toEqual({ follow: false, cursors: false, after: [] });
  expect(hengeService.Get.responseDeserialize(Buffer.alloc(0))).toEqual({
    name: "",
    state: "absent",
    units: [],
    limits: {},
    publish: [],
  });
});
