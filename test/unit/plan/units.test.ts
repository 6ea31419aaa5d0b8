// What a unit comes to in a cell that stays: for its new spec, for its state, and for what an operator said of it.

import { describe, expect, it } from "vitest";

import { planMonolith } from "../../../src/plan/index.js";
import { cell, cellStatus, desired, observed, ref, unit, unitStatus } from "../../fixture/index.js";
import { cache, db, facts, migrate, plan, reasons, running, web } from "./fixture.js";

describe("a changed unit", () => {
  it("is restarted alone: what starts after it runs on", () => {
    const other = cell("shop/db", { units: [unit("postgres", { env: { TZ: "UTC" } })] });
    expect(reasons(desired([cell("shop"), other, cache, web]), running)).toEqual([
      "stop shop/db:postgres: env.TZ added",
      "start shop/db:postgres: env.TZ added",
      "await shop/db:postgres: until it is ready",
    ]);
  });

  it("is not restarted because it starts after other units than before", () => {
    const freed = cell("shop/web", { units: web.units.map((one) => ({ ...one, after: [] })) });
    expect(plan(desired([cell("shop"), db, cache, freed]), running)).toEqual([]);
  });

  it("runs on as it is when what it waits for is stopped by an operator", () => {
    const [first = migrate] = web.units;
    const puma = unit("puma", { argv: ["/bin/other"], after: [ref("shop/db:postgres")] });
    const wanted = desired(
      [cell("shop"), db, cache, { ...web, units: [first, puma] }],
      ["shop/db:postgres"],
    );
    expect(plan(wanted, running)).toEqual(["stop shop/db:postgres"]);
  });

  it("that is a one-shot runs once more", () => {
    const again = { ...migrate, argv: ["/bin/migrate", "--all"] };
    const wanted = desired([
      cell("shop"),
      db,
      cache,
      { ...web, units: [again, ...web.units.slice(1)] },
    ]);
    expect(reasons(wanted, running)).toEqual([
      'start shop/web:migrate: argv[1] none → "--all"',
      "await shop/web:migrate: until it is done",
    ]);
  });
});

describe("a unit as it should be, in each state", () => {
  const spec = cell("shop", { units: [unit()] });
  const exit = { code: 1, atMs: 0 };
  it.each([
    ["running", []],
    ["done", []],
    ["degraded", []],
    ["backoff", ["start shop:web: in back-off (exit 1)", "await shop:web: until it is ready"]],
    ["starting", ["await shop:web: not ready yet"]],
    ["stopped", ["start shop:web: not running", "await shop:web: until it is ready"]],
    ["stopping", ["start shop:web: is being stopped", "await shop:web: until it is ready"]],
    ["failed", ["start shop:web: failed (exit 1)", "await shop:web: until it is ready"]],
    [
      "crashloop",
      ["start shop:web: in a crash loop (exit 1)", "await shop:web: until it is ready"],
    ],
  ] as const)("%s: %j", (state, expected) => {
    const seen = observed([cellStatus(spec, { units: [unitStatus(unit(), { state, exit })] })]);
    expect(reasons(desired([spec]), seen)).toEqual(expected);
  });

  it("is left to its restart policy after a failure when nobody asked for another try", () => {
    for (const state of ["failed", "crashloop", "backoff"] as const) {
      const seen = observed([cellStatus(spec, { units: [unitStatus(unit(), { state })] })]);
      expect(planMonolith(desired([spec]), seen, { ...facts, leaveFailed: true })).toEqual([]);
    }
  });
});

it("does not try again, unless somebody asks, what a unit has handed over to in vain", () => {
  const listen = [{ name: "web", address: "0.0.0.0", port: 80 }];
  const old = unit("web", { handover: true, readiness: { kind: "notify" }, listen });
  const rejected = { ...old, argv: ["/bin/broken"] };
  const seen = observed([cellStatus(cell(), { units: [unitStatus(old, { rejected })] })]);
  const wanted = desired([cell("shop", { units: [rejected] })]);
  expect(planMonolith(wanted, seen, { ...facts, leaveFailed: true })).toEqual([]);
  expect(plan(wanted, seen)).toEqual(["hand-over shop:web"]);
  const other = desired([cell("shop", { units: [{ ...old, argv: ["/bin/other"] }] })]);
  expect(planMonolith(other, seen, { ...facts, leaveFailed: true })).toHaveLength(1);
});

describe("a unit an operator stopped", () => {
  const spec = cell("shop", { units: [unit("db"), unit("web", { after: [ref("shop:db")] })] });

  it("stays stopped, and what waits for it is not started", () => {
    const wanted = desired([spec], ["shop:db"]);
    expect(plan(wanted, observed([cellStatus(spec, { units: [] })]))).toEqual([]);
    expect(plan(wanted, observed())).toEqual(["allocate shop"]);
  });

  it("is stopped when it runs; what waits for it runs on", () => {
    expect(reasons(desired([spec], ["shop:db"]), observed([cellStatus(spec)]))).toEqual([
      "stop shop:db: stopped by operator",
    ]);
  });
});
