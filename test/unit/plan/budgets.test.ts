import { describe, expect, it } from "vitest";

import { cloneSpec, describeOver, describeRefused, planBudgets } from "../../../src/plan/index.js";
import type {
  BudgetSpec,
  HostCapacity,
  MonolithName,
  MonolithSpec,
  UnitSpec,
} from "../../../src/spec/index.js";
import { cell, monolith, ref, unit } from "../../fixture/index.js";

const GIB = 1024 ** 3;
const HOST: HostCapacity = {
  memoryBytes: 8 * GIB,
  nofileMax: 4096,
  nofileFrom: "fs.nr_open of this host",
  nofileDefault: 1024,
};

function budget(over: Partial<BudgetSpec> = {}): BudgetSpec {
  return {
    ...{
      name: "connections",
      limit: 100,
      unit: ref("shop:db"),
      option: "--max",
      reserved: 3,
      descriptors: false,
    },
    oneOffs: { atOnce: 2, each: 5 },
    uses: [
      { unit: ref("shop:web"), amount: 10 },
      { unit: ref("shop:jobs"), amount: 25 },
    ],
    ...over,
  };
}

function shop(units: readonly UnitSpec[], over: Partial<MonolithSpec> = {}): MonolithSpec {
  return monolith([cell("shop", { units })], over);
}

/** As it stands in a manifest that has handover. */
function handingOver(name: string): UnitSpec {
  return { ...unit(name), handover: true };
}

describe("connections", () => {
  it("are what units take, what is reserved and what one-offs may take", () => {
    const [row] = planBudgets(shop([unit("web"), unit("jobs")], { budgets: [budget()] }), [], HOST);
    expect(row).toMatchObject({ asked: 48, doubled: 48, limit: 100, verdict: "fits" });
    expect(row?.parts).toEqual([
      { who: "reserved", amount: 3, times: 1 },
      { who: "shop:web", amount: 10, times: 1 },
      { who: "shop:jobs", amount: 25, times: 1 },
      { who: "one-offs 2 at once", amount: 10, times: 1 },
    ]);
  });

  it("are asked for twice by a unit that hands over", () => {
    const spec = shop([handingOver("web"), unit("jobs")], { budgets: [budget()] });
    expect(planBudgets(spec, [], HOST)[0]).toMatchObject({ asked: 48, doubled: 58 });
  });

  it("fit up to the limit, and not one more while generations overlap", () => {
    const rows = (limit: number) =>
      planBudgets(
        shop([handingOver("web"), unit("jobs")], { budgets: [budget({ limit })] }),
        [],
        HOST,
      );
    expect(describeRefused(rows(58))).toEqual([]);
    expect(describeRefused(rows(57))).toEqual([
      "connections: 58 asked of 57 (--max of shop:db): reserved 3 + shop:web 2 × 10 + shop:jobs 25 + one-offs 2 at once 10",
    ]);
  });

  it("are none where nothing is declared", () => {
    expect(planBudgets(shop([unit("web")]), [], HOST)).toEqual([]);
  });
});

it("shows who owns what is exclusive", () => {
  const exclusive = [{ name: "scheduler", owner: ref("shop:jobs") }];
  expect(planBudgets(shop([unit("jobs")], { exclusive }), [], HOST)).toMatchObject([
    { name: "scheduler", asked: 1, doubled: 1, limit: 1, parts: [{ who: "shop:jobs" }] },
  ]);
});

describe("file descriptors", () => {
  const clients = budget({ name: "clients", unit: ref("shop:redis"), descriptors: true, uses: [] });
  const redis = (nofile?: number) => unit("redis", nofile === undefined ? {} : { nofile });
  const refused = (limit: number, nofile?: number) =>
    describeRefused(
      planBudgets(shop([redis(nofile)], { budgets: [{ ...clients, limit }] }), [], HOST),
    );

  it("must be enough for all clients a server takes, and its own", () => {
    expect(refused(2000 - 64, 2000)).toEqual([]);
    expect(refused(2000 - 63, 2000)).toEqual([
      "descriptors of shop:redis: 2001 asked of 2000 (nofile of the unit): clients 1937 + its own 64",
    ]);
    expect(refused(960)).toEqual([]);
    expect(refused(961)).toHaveLength(1);
  });

  it("cannot be more than the host gives", () => {
    const rows = (nofile: number) => planBudgets(shop([unit("web", { nofile })]), [], HOST);
    expect(describeRefused(rows(4096))).toEqual([]);
    expect(describeRefused(rows(4097))).toEqual([
      "nofile of shop:web: 4097 asked of 4096 (fs.nr_open of this host): shop:web 4097",
    ]);
  });
});

describe("memory", () => {
  const limited = (name: string, limits: Record<string, string>) =>
    monolith([cell(name, { limits })]);
  const other = limited("blog", { "memory.low": String(6 * GIB), "memory.max": String(6 * GIB) });

  it("that is promised must be there, with what other monoliths are promised", () => {
    const rows = (bytes: number) =>
      planBudgets(limited("shop", { "memory.low": String(bytes) }), [other], HOST);
    expect(describeRefused(rows(2 * GIB))).toEqual([]);
    expect(describeRefused(rows(3 * GIB))).toEqual([
      "memory.low: 9GiB asked of 8GiB (memory of this host): shop 3GiB + blog 6GiB",
    ]);
  });

  it("promised to nested cells is promised", () => {
    const nested = (bytes: number) =>
      monolith([
        cell("shop"),
        cell("shop/db", { limits: { "memory.min": String(bytes) } }),
        cell("shop/web", { limits: { "memory.min": String(4 * GIB) } }),
      ]);
    expect(describeRefused(planBudgets(nested(4 * GIB), [], HOST))).toEqual([]);
    expect(describeRefused(planBudgets(nested(5 * GIB), [], HOST))).toHaveLength(1);
    expect(
      describeRefused(planBudgets(limited("shop", { "memory.min": "max" }), [], HOST)),
    ).toEqual(["memory.min: no bound asked of 8GiB (memory of this host): shop no bound"]);
  });

  it("that is only allowed may be more than there is, and that is said", () => {
    const rows = planBudgets(limited("shop", { "memory.max": String(4 * GIB) }), [other], HOST);
    expect(describeRefused(rows)).toEqual([]);
    expect(describeOver(rows)).toEqual([
      "memory.max: 10GiB asked of 8GiB (memory of this host): shop 4GiB + blog 6GiB",
    ]);
  });
});

it("gives a clone budgets of its own units, and of what its cells are shown", () => {
  const exclusive = [{ name: "scheduler", owner: ref("shop:jobs") }];
  const settings = [
    { cell: cell("shop/web").name, source: "/etc/shop.conf", keys: ["A"], without: [] },
  ];
  const spec = shop([unit("web"), unit("jobs")], { budgets: [budget()], exclusive, settings });
  const clone = cloneSpec(spec, "copy" as MonolithName, []);
  expect(JSON.stringify(clone)).not.toContain('"shop');
  expect(clone.settings?.map(({ cell: of }) => of)).toEqual(["copy/web"]);
  expect(planBudgets(clone, [], HOST).flatMap(({ from, parts }) => [from, parts])).toMatchObject([
    "--max of copy:db",
    [{}, { who: "copy:web" }, { who: "copy:jobs" }, {}],
    "exclusive: one owner",
    [{ who: "copy:jobs" }],
  ]);
});
