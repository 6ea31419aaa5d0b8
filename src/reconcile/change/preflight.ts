// What a change of a manifest is refused for before its first step, and `henge plan` alike: what the host, the pool and the
// other monoliths cannot give it.

import { HengeError } from "../../errors.js";
import type { RootFiles } from "../../root-files.js";
import type {
  BudgetRow,
  CellName,
  CellSpec,
  ImageName,
  MonolithSpec,
  Observed,
  Step,
  UnitSpec,
} from "../../spec/index.js";

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
  const { store, host, network } = context.ports;
  refuseMissingControllers(spec, context.offered);
  const stored = await store.list();
  refuseTakenPorts(spec, stored);
  for (const { name, publish } of spec.cells)
    if (publish.length > 0) await network.admit(name, publish);
  const budgets = await fitBudgets(spec, stored, host);
  tellOver(budgets, report);
  return budgets;
}

/** @throws {HengeError} WRONG_STATE: the pool cannot keep what a volume was promised */
export function refuseUnkept(context: Context, spec: MonolithSpec, observed: Observed): void {
  refuseBrokenPromises(spec, observed, context.ports.pool.keeps);
}

/** Each is some 100 to 200 characters, and a message has 1,024 at most. */
const LISTED_MAX = 4;

interface Touched {
  readonly cell: CellSpec;
  /** Those to be started. */
  readonly units: readonly UnitSpec[];
  readonly isNew: boolean;
}

/**
 * By what the roots of the cells hold that these steps touch: users, programs, directories, files. An image that they import
 * is looked at in its archive.
 * @throws {HengeError} MANIFEST_INVALID: nothing could start there
 */
export async function refuseUnfounded(
  { ports }: Context,
  spec: MonolithSpec,
  steps: readonly Step[],
  signal: AbortSignal,
): Promise<void> {
  const archives = new Map<ImageName, RootFiles>();
  for (const step of steps)
    if (step.kind === "import-image")
      archives.set(step.image.name, await ports.readArchiveFiles(step.image, signal));
  const lines: string[] = [];
  for (const touched of touchedCells(spec, steps)) {
    const look = async (root: "host" | RootFiles): Promise<void> => {
      lines.push(...(await ports.wardens.foresee({ root, ...touched })));
    };
    const { root } = touched.cell.boundary;
    if (root.kind === "host") await look("host");
    else {
      const archive = archives.get(root.image);
      if (archive !== undefined) await look(archive);
      else await ports.images.look(root.image, root.digest ?? "", look, signal);
    }
  }
  if (lines.length > 0)
    throw new HengeError(
      "MANIFEST_INVALID",
      `cannot start ${spec.name} like this:${listOf(lines)}`,
    );
}

/** One on the same line, several on a line each; no more of them than a message takes. */
function listOf([first = "", ...others]: readonly string[]): string {
  if (others.length === 0) return ` ${first}`;
  const shown = others.slice(0, LISTED_MAX - 1);
  const more = others.length - shown.length;
  const rest = more === 0 ? [] : [`and ${String(more)} more; mend these first`];
  return [first, ...shown, ...rest].map((line) => `\n  ${line}`).join("");
}

function touchedCells(spec: MonolithSpec, steps: readonly Step[]): readonly Touched[] {
  const touched = new Map<CellName, { cell: CellSpec; units: UnitSpec[]; isNew: boolean }>();
  for (const step of steps) {
    if (step.kind === "allocate")
      touched.set(step.cell, { cell: step.spec, units: [], isNew: true });
    if (step.kind !== "start" && step.kind !== "hand-over") continue;
    const cell = spec.cells.find(({ name }) => name === step.cell);
    const known = touched.get(step.cell) ?? (cell && { cell, units: [], isNew: false });
    if (known === undefined) continue;
    known.units.push(step.spec);
    touched.set(step.cell, known);
  }
  return [...touched.values()];
}
