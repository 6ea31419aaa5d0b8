// A monolith of four cells in which units wait for others, the same as it runs, and plans in words.

import { describeStep, planMonolith } from "../../../src/plan/index.js";
import type { Controller, Desired, Observed } from "../../../src/spec/index.js";
import { cell, cellStatus, observed, ref, unit } from "../../fixture/index.js";

export const facts = {
  offered: ["cpu", "memory", "pids", "io", "cpuset"] satisfies Controller[],
  keeps: [],
};

export function plan(wanted: Desired | undefined, seen: Observed): readonly string[] {
  return planMonolith(wanted, seen, facts).map(describeStep);
}

export function reasons(wanted: Desired | undefined, seen: Observed): readonly string[] {
  return planMonolith(wanted, seen, facts).map((step) => `${describeStep(step)}: ${step.reason}`);
}

export const db = cell("shop/db", { units: [unit("postgres")] });
export const cache = cell("shop/cache", { units: [unit("redis")] });
export const migrate = unit("migrate", {
  oneShot: true,
  after: [ref("shop/db:postgres"), ref("shop/cache:redis")],
});
export const web = cell("shop/web", {
  units: [migrate, unit("puma", { after: [ref("shop/web:migrate")] })],
});
export const shop = [cell("shop"), db, cache, web];
export const running = observed(shop.map((one) => cellStatus(one)));
