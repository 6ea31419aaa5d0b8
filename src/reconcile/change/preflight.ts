// What a change of a manifest is refused for before its first step, and `henge plan` alike: what the host, the pool and the
// other monoliths cannot give it.

import type { BudgetRow, MonolithSpec, Observed } from "../../spec/index.js";

import { fitBudgets, tellOver } from "../admission/budgets.js";
import {
  refuseBrokenPromises,
  refuseMissingControllers,
  refuseTakenPorts,
} from "../admission/desire.js";
import type { Context } from "../context.js";
import type { Report } from "../control.js";

/**
 * By the manifest, the host and what is on record; the pool is not asked.
 * @returns the table of its budgets
 * @throws {HengeError} KERNEL_REFUSED · WRONG_STATE · OVER_CAPACITY: nothing is changed then
 */
export async function refuseUnfit(
  context: Context,
  spec: MonolithSpec,
  report: Report,
): Promise<readonly BudgetRow[]> {
  const { store, host } = context.ports;
  refuseMissingControllers(spec, context.offered);
  const stored = await store.list();
  refuseTakenPorts(spec, stored);
  const budgets = await fitBudgets(spec, stored, host);
  tellOver(budgets, report);
  return budgets;
}

/** @throws {HengeError} WRONG_STATE: the pool cannot keep what a volume was promised */
export function refuseUnkept(context: Context, spec: MonolithSpec, observed: Observed): void {
  refuseBrokenPromises(spec, observed, context.ports.pool.keeps);
}
