// Whether what a monolith asks for fits in its budgets and in the host. Refused here, before anything is changed, for
// later it is a server that turns clients away at its busiest hour.

import { HengeError } from "../../errors.js";
import type { HostPort } from "../../kernel/port.js";
import { describeOver, describeRefused, planBudgets } from "../../plan/index.js";
import type { BudgetRow, MonolithSpec } from "../../spec/index.js";
import type { StoredMonolith } from "../../store/monoliths.js";

import type { Report } from "../control.js";

/**
 * The table of its budgets.
 * @param stored every monolith on record: they share the host
 * @throws {HengeError} OVER_CAPACITY: what cannot fit, with the sum of each
 */
export async function fitBudgets(
  spec: MonolithSpec,
  stored: readonly StoredMonolith[],
  host: Pick<HostPort, "capacity">,
): Promise<readonly BudgetRow[]> {
  const others = stored.flatMap((other) =>
    "corrupt" in other || other.name === spec.name ? [] : [other.desired.spec],
  );
  const rows = planBudgets(spec, others, await host.capacity());
  const refused = describeRefused(rows);
  if (refused.length === 0) return rows;
  throw new HengeError("OVER_CAPACITY", `cannot fit ${spec.name}: ${refused.join("; ")}`, {
    hint: "ask for less, or raise the limit where it stands",
  });
}

/** Notes what is beyond a limit that may be passed. */
export function tellOver(rows: readonly BudgetRow[], report: Report): void {
  for (const text of describeOver(rows)) report({ kind: "note", text });
}
