// Reads what is: wardens, cgroups, network and pool. Nothing here is remembered from one call to the next.

import { HengeError } from "../errors.js";
import type { CellName, CellStatus, MonolithName, MonolithSpec, Observed } from "../spec/index.js";
import { monolithOf } from "../spec/index.js";

import type { AllocatedCell, Cells } from "./cells/cells.js";
import type { Ports } from "./ports.js";

/**
 * All that is known of one monolith. A pool that is not there has no volumes and no images.
 * @param spec what the pool is asked for: nothing where it has neither volumes nor images. All when absent.
 */
export async function observe(
  ports: Ports,
  cells: Cells,
  monolith: MonolithName,
  spec?: Pick<MonolithSpec, "volumes" | "images">,
): Promise<Observed> {
  const [found, volumes, images] = await Promise.all([
    observePublished(ports, cells, monolith),
    spec?.volumes.length === 0 ? [] : ports.volumes.list(monolith).catch(emptyWithoutPool),
    spec?.images.length === 0 ? [] : ports.images.list().catch(emptyWithoutPool),
  ]);
  return { cells: found, volumes, images };
}

/** Its cells, with the ports they publish. */
export async function observePublished(
  ports: Ports,
  cells: Cells,
  monolith: MonolithName,
): Promise<readonly CellStatus[]> {
  const found = await observeCells(ports, cells, monolith);
  return Promise.all(
    found.map(async (cell) => {
      const own = cell.state !== "unsupervised" && cell.boundary.network === "own";
      const publish = own ? await ports.network.readPublished(cell.name) : undefined;
      return publish === undefined ? cell : { ...cell, publish };
    }),
  );
}

/** Its cells and their units, without what only one of the host's tools can tell. */
export async function observeCells(
  ports: Ports,
  cells: Cells,
  monolith: MonolithName,
): Promise<readonly CellStatus[]> {
  const names = cells.names().filter((cell) => monolithOf(cell) === monolith);
  return Promise.all(names.map((cell) => observeCell(ports, cells, cell)));
}

async function observeCell(ports: Ports, cells: Cells, cell: CellName): Promise<CellStatus> {
  const known = cells.get(cell);
  if (known === undefined || cells.isUnsupervised(cell)) return unsupervised(cell, known);
  const [limits, frozen] = await Promise.all([
    ports.cgroups.readLimits(cell),
    ports.cgroups.isFrozen(cell),
  ]);
  return {
    name: cell,
    state: frozen ? "frozen" : "running",
    boundary: known.state.boundary,
    limits,
    publish: [],
    units: [...known.units.values()].map((unit) => unit.status()),
    wardenPid: known.warden.wardenPid,
  };
}

function unsupervised(cell: CellName, known: AllocatedCell | undefined): CellStatus {
  return {
    name: cell,
    state: "unsupervised",
    boundary: known?.state.boundary ?? {
      root: { kind: "host" },
      network: "host",
      hostname: "",
      mounts: [],
      tmpfs: [],
      files: [],
    },
    limits: {},
    publish: [],
    // As last heard of: without a warden nobody sees them start or end.
    units: [...(known?.units.values() ?? [])].map((unit) => unit.status()),
    reason: "its warden is gone; henge up replaces it, henge down frees it",
  };
}

export function emptyWithoutPool(error: unknown): readonly [] {
  if (error instanceof HengeError && error.code === "WRONG_STATE") return [];
  throw error;
}
