// The monolith a clone is: the same under another name, on other ports, in a network of its own that leads nowhere.

import type {
  CellName,
  CellSpec,
  MonolithName,
  MonolithSpec,
  PublishSpec,
  UnitRef,
} from "../spec/index.js";

/** @param publish in the place of the ports the original publishes */
export function cloneSpec(
  spec: MonolithSpec,
  name: MonolithName,
  publish: readonly PublishSpec[],
): MonolithSpec {
  const rename = (cell: CellName): CellName => `${name}${cell.slice(spec.name.length)}` as CellName;
  return {
    ...spec,
    name,
    // The key of an encrypted volume is its origin's, and so is the place it is in.
    volumes: spec.volumes.map(({ encryption: _, ...volume }) => volume),
    cells: spec.cells.map((cell, index) => cloneCell(cell, rename, index === 0 ? publish : [])),
    ...cloneBudgets(spec, rename),
    ...cloneUpgrade(spec, rename),
  };
}

function cloneUpgrade(
  { upgrade }: MonolithSpec,
  rename: (cell: CellName) => CellName,
): Pick<MonolithSpec, "upgrade"> {
  if (upgrade === undefined) return {};
  const renamed = (ref: UnitRef): UnitRef => ({ ...ref, cell: rename(ref.cell) });
  return {
    upgrade: {
      ...upgrade,
      before: upgrade.before.map((run) => ({ ...run, unit: renamed(run.unit) })),
      after: upgrade.after.map(renamed),
    },
  };
}

function cloneBudgets(
  { budgets, exclusive, settings }: MonolithSpec,
  rename: (cell: CellName) => CellName,
): Pick<MonolithSpec, "budgets" | "exclusive" | "settings"> {
  const renamed = (ref: UnitRef): UnitRef => ({ ...ref, cell: rename(ref.cell) });
  return {
    ...(budgets && {
      budgets: budgets.map(({ unit, uses, ...budget }) => ({
        ...budget,
        ...(unit && { unit: renamed(unit) }),
        uses: uses.map((use) => ({ ...use, unit: renamed(use.unit) })),
      })),
    }),
    ...(exclusive && {
      exclusive: exclusive.map(({ name, owner }) => ({ name, owner: renamed(owner) })),
    }),
    ...(settings && { settings: settings.map((one) => ({ ...one, cell: rename(one.cell) })) }),
  };
}

function cloneCell(
  cell: CellSpec,
  rename: (cell: CellName) => CellName,
  publish: readonly PublishSpec[],
): CellSpec {
  const { network, hostname } = cell.boundary;
  const renamed = (ref: UnitRef): UnitRef => ({ ...ref, cell: rename(ref.cell) });
  return {
    ...cell,
    name: rename(cell.name),
    // The host's network leads to everyone the original knows.
    boundary: {
      ...cell.boundary,
      network: network === "host" ? "own" : network,
      hostname: hostname === cell.name ? rename(cell.name) : hostname,
    },
    publish,
    units: cell.units.map((unit) => ({ ...unit, after: unit.after.map(renamed) })),
  };
}

export interface TakenPorts {
  /** Ports of the host somebody listens on. */
  readonly listening: ReadonlySet<number>;
  /** Of all monoliths on record. */
  readonly published: readonly PublishSpec[];
}

const LAST_PORT = 65_535;

/** For each port the original publishes the next one of the host that is free; undefined when there is none. */
export function choosePorts(
  original: readonly PublishSpec[],
  taken: TakenPorts,
): readonly PublishSpec[] | undefined {
  const used = new Set([...taken.listening, ...taken.published.map(({ hostPort }) => hostPort)]);
  const chosen: PublishSpec[] = [];
  for (const port of original) {
    let hostPort = port.hostPort + 1;
    while (used.has(hostPort)) hostPort += 1;
    if (hostPort > LAST_PORT) return undefined;
    used.add(hostPort);
    chosen.push({ ...port, hostPort });
  }
  return chosen;
}
