// Budgets as JSON and as a table. The keys of the JSON are an interface: see docs/cli.md.

import type { Budget } from "../api/gen/henge/v1/henge.js";
import { formatSize } from "../spec/index.js";
import { table } from "./text.js";

export function budgetToJson(budget: Budget) {
  const { name, asked, doubled, limit, from, bytes, over } = budget;
  return {
    ...{ budget: name, asked: asked ?? null, doubled: doubled ?? null, limit, from },
    ...{ unit: bytes ? "bytes" : null, over },
    parts: budget.parts.map(({ who, amount, times }) => ({ who, amount: amount ?? null, times })),
  };
}

/** Nothing where there are none. */
export function budgetsText(budgets: readonly Budget[]): string {
  if (budgets.length === 0) return "";
  const rows = budgets.map(({ name, bytes, asked, doubled, limit, from, over }) => {
    const show = (amount: number | undefined): string => {
      if (amount === undefined) return "no bound";
      return bytes ? formatSize(amount) : String(amount);
    };
    const why = over ? `${from}; asked for more than there is` : from;
    return [name, show(asked), show(doubled), show(limit), why];
  });
  return `\n${table(["BUDGET", "ASKED", "DOUBLED", "LIMIT", "FROM"], rows)}`;
}
