import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import type { BudgetRow, CellName, Step, UnitName, VolumeName } from "../../src/spec/index.js";
import { unit } from "../fixture/index.js";
import { henge } from "../fixture/cli.js";
import { startDaemon } from "./harness.js";
import type { TestDaemon } from "./harness.js";

const web = "shop/web" as CellName;
const puma = "puma" as UnitName;

const STEPS: readonly Step[] = [
  { kind: "create-volume", volume: { name: "data" as VolumeName }, reason: "volume data is new" },
  { kind: "start", cell: web, unit: puma, spec: unit("puma"), reason: "unit puma is stopped" },
  { kind: "await", cell: web, unit: puma, reason: "unit puma is starting" },
];

const JSON_STEPS = [
  { kind: "create-volume", cell: null, unit: null, reason: "volume data is new" },
  { kind: "start", cell: "shop/web", unit: "puma", reason: "unit puma is stopped" },
  { kind: "await", cell: "shop/web", unit: "puma", reason: "unit puma is starting" },
];

const BUDGETS: readonly BudgetRow[] = [
  {
    ...{ name: "connections", isBytes: false, asked: 30, doubled: 40, limit: 97 },
    ...{ from: "--max of shop:db", verdict: "fits" },
    parts: [{ who: "shop:web", amount: 10, times: 2 }],
  },
  {
    ...{ name: "memory.max", isBytes: true, limit: 33_285_996_544, from: "memory of this host" },
    ...{ verdict: "over", parts: [{ who: "shop", times: 1 }] },
  },
];

async function manifest(daemon: TestDaemon): Promise<string> {
  await writeFile(join(daemon.root, "shop.yaml"), "henge: 1\n");
  return "shop.yaml";
}

it("plans: steps as JSON, a line each as text, and `nothing to change` when there is none", async () => {
  let steps = STEPS;
  const daemon = await startDaemon({ plan: () => Promise.resolve({ steps, budgets: [] }) });
  const file = await manifest(daemon);
  const json = await henge(daemon.root, ["plan", file, "-o", "json"]);
  const text = await henge(daemon.root, ["plan", file]);
  expect(JSON.parse(json.stdout)).toEqual({ steps: JSON_STEPS, budgets: [] });
  expect(text.stdout.split("\n")[0]).toBe("create-volume data: volume data is new");
  expect(text.stdout.split("\n")[1]).toBe("start shop/web:puma: unit puma is stopped");
  steps = [];
  expect((await henge(daemon.root, ["plan", file])).stdout).toBe("nothing to change\n");
  expect(JSON.parse((await henge(daemon.root, ["plan", file, "-o", "json"])).stdout)).toEqual({
    steps: [],
    budgets: [],
  });
});

it("plans: budgets as JSON, and as a table after the steps", async () => {
  const daemon = await startDaemon({
    plan: () => Promise.resolve({ steps: [], budgets: BUDGETS }),
  });
  const file = await manifest(daemon);
  const json = await henge(daemon.root, ["plan", file, "-o", "json"]);
  expect(JSON.parse(json.stdout)).toEqual({
    steps: [],
    budgets: [
      {
        ...{ budget: "connections", asked: 30, doubled: 40, limit: 97, from: "--max of shop:db" },
        ...{ unit: null, over: false, parts: [{ who: "shop:web", amount: 10, times: 2 }] },
      },
      {
        ...{ budget: "memory.max", asked: null, doubled: null, limit: 33_285_996_544 },
        ...{ from: "memory of this host", unit: "bytes", over: true },
        parts: [{ who: "shop", amount: null, times: 1 }],
      },
    ],
  });
  expect((await henge(daemon.root, ["plan", file])).stdout.split("\n")).toEqual([
    "nothing to change",
    "",
    "BUDGET       ASKED     DOUBLED   LIMIT  FROM",
    "connections  30        40        97     --max of shop:db",
    "memory.max   no bound  no bound  31GiB  memory of this host; asked for more than there is",
    "",
  ]);
});
