// What a change of a manifest is refused for before its first step, and `henge plan` alike: what the host, the pool and the
// other monoliths cannot give it.

import { HengeError } from "../../errors.js";
import { manifestError } from "../../manifest/index.js";
import { unitKey } from "../../plan/index.js";
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
import type { Lack } from "../../warden/port.js";

import { fitBudgets, tellOver } from "../admission/budgets.js";
import {
  refuseBrokenPromises,
  refuseMissingControllers,
  refuseTakenPorts,
} from "../admission/desire.js";
import type { Context } from "../context.js";
import type { ManifestSource, Report } from "../control.js";
import { emptyWithoutPool } from "../observe.js";

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

interface Touched {
  readonly cell: CellSpec;
  /** Those to be started. */
  readonly units: readonly UnitSpec[];
  readonly isNew: boolean;
}

/** A field and what the cell's root has not got for it. */
interface Fault {
  readonly cell: CellName;
  readonly lack: Lack;
}

/**
 * By what the roots of the cells hold that these steps touch: users, programs, directories, files. An image that they import
 * is looked at in its archive.
 * @param source absent where no manifest was given
 * @throws {HengeError} MANIFEST_INVALID, with the place of each field in the source: nothing could start there
 */
export async function refuseUnfounded(
  { ports }: Context,
  spec: MonolithSpec,
  steps: readonly Step[],
  source: ManifestSource | undefined,
  signal: AbortSignal,
): Promise<void> {
  const archives = new Map<ImageName, RootFiles>();
  for (const step of steps)
    if (step.kind === "import-image")
      archives.set(step.image.name, await ports.readArchiveFiles(step.image, signal));
  const faults: Fault[] = [];
  for (const touched of touchedCells(spec, steps)) {
    const look = async (root: "host" | RootFiles): Promise<void> => {
      const lacks = await ports.wardens.foresee({ root, ...touched });
      faults.push(...lacks.map((lack) => ({ cell: touched.cell.name, lack })));
    };
    const { root } = touched.cell.boundary;
    if (root.kind === "host") await look("host");
    else {
      const archive = archives.get(root.image);
      if (archive !== undefined) await look(archive);
      // A pool that is away is the allocation's to tell; what runs does not need it.
      else
        await ports.images
          .look(root.image, root.digest ?? "", look, signal)
          .catch(emptyWithoutPool);
    }
  }
  const [first] = faults;
  if (first === undefined) return;
  throw source === undefined
    ? withoutManifest(spec, first)
    : manifestError(
        source,
        faults.map((fault) => ({ path: pathOf(fault), text: fault.lack.text })),
      );
}

function withoutManifest({ name }: MonolithSpec, { cell, lack }: Fault): HengeError {
  const where = lack.unit === undefined ? cell : unitKey({ cell, unit: lack.unit });
  const text = `cannot start ${name} as it is: ${where}, ${String(lack.path[0])}: ${lack.text}`;
  return new HengeError("MANIFEST_INVALID", text);
}

/** In a manifest: the root cell is its top. */
function pathOf({ cell, lack: { unit, path } }: Fault): readonly (string | number)[] {
  const nested = cell.split("/").slice(1);
  const cells = nested.flatMap((name) => ["cells", name]);
  return [...cells, ...(unit === undefined ? [] : ["units", unit]), ...path];
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
