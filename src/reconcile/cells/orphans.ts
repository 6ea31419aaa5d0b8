// Cgroups of cells that nobody knows when a daemon starts: what runs in them has lost its witness; an empty one is removed.

import type { CellName } from "../../spec/index.js";

import type { Ports } from "../ports.js";

/**
 * Removes what a killed daemon had emptied, or only just made.
 * @param known cells that are accounted for
 * @returns those in which something runs
 */
export async function findOrphans(
  { cgroups, warn }: Pick<Ports, "cgroups" | "warn">,
  known: readonly CellName[],
): Promise<readonly CellName[]> {
  const orphans: CellName[] = [];
  const unknown = (await cgroups.list()).filter((cell) => !known.includes(cell));
  // Nested cells first: a cgroup goes when nothing is left in it.
  for (const cell of [...unknown].reverse()) {
    if (await cgroups.isPopulated(cell)) orphans.push(cell);
    else
      await cgroups.remove(cell).catch((error: unknown) => {
        warn(`the empty cgroup of ${cell} stays`, error);
      });
  }
  return orphans;
}
