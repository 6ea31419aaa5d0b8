// The fields of a valid manifest → MonolithSpec: inherits, resolves paths, fills in what depends on other fields.

import type {
  BoundarySpec,
  CellName,
  CellSpec,
  Controller,
  HealthSpec,
  ImageName,
  MonolithName,
  MonolithSpec,
  RestartSpec,
  RootSpec,
  SettingsSpec,
  SnapshotPolicy,
  UnitName,
  UnitRef,
  UnitSpec,
  UpgradeSpec,
  VolumeName,
} from "../spec/index.js";
import type { ManifestFields, NestedFields } from "./cell.js";
import { budgetsOf } from "./normalise-budgets.js";
import { readReference } from "./dependencies.js";
import { resolveHostPath } from "./host-path.js";
import { HEALTH_DEFAULTS, type UnitFields } from "./unit.js";
import { toVolume } from "./volume.js";

/** What every cell of one manifest is made with. */
interface Context {
  readonly monolith: MonolithName;
  readonly directory: string;
}

/** What a cell takes from the one it is nested in. */
interface Inherited {
  readonly root: RootSpec;
  readonly acceptMissingControllers: readonly Controller[];
}

/** @param directory absolute; relative paths of the host start there */
export function normalise(fields: ManifestFields, directory: string): MonolithSpec {
  const monolith = fields.name as MonolithName;
  const context = { monolith, directory };
  const root = rootCell(fields, context);
  return {
    name: monolith,
    images: Object.entries(fields.images).map(([name, { archive }]) => ({
      name: name as ImageName,
      archive: resolveHostPath(directory, archive),
    })),
    volumes: Object.entries(fields.volumes).map(([name, volume]) =>
      toVolume(name as VolumeName, volume, directory),
    ),
    cells: [root, ...nestedCells(fields.cells, "", inheritedFrom(root), context)],
    ...(fields.upgrade === undefined ? {} : { upgrade: toUpgrade(fields.upgrade, context) }),
    ...(fields.snapshots === undefined ? {} : { snapshots: toPolicy(fields.snapshots) }),
    ...budgetsOf(fields),
    ...settingsOf(fields, context),
  };
}

function toUpgrade(
  { before, after, settle }: NonNullable<ManifestFields["upgrade"]>,
  context: Context,
): UpgradeSpec {
  return {
    before: before.map(({ unit, env }) => ({ unit: toRef(unit, "", context), env })),
    after: after.map((unit) => toRef(unit, "", context)),
    settleMs: settle,
  };
}

function toRef(text: string, cell: string, context: Context): UnitRef {
  const reference = readReference(text, cell);
  return { cell: toCellName(reference.cell, context), unit: reference.unit as UnitName };
}

function toPolicy(fields: NonNullable<ManifestFields["snapshots"]>): SnapshotPolicy {
  return { beforeChanges: fields["before-changes"], keep: fields.keep };
}

function rootCell(fields: ManifestFields, context: Context): CellSpec {
  const inherited = { root: toRoot(fields.root), acceptMissingControllers: [] };
  const cell = toCell(fields, "", inherited, context);
  return {
    ...cell,
    boundary: { ...cell.boundary, network: fields.network },
    publish: fields.publish,
  };
}

function nestedCells(
  cells: Readonly<Record<string, NestedFields>>,
  above: string,
  inherited: Inherited,
  context: Context,
): readonly CellSpec[] {
  return Object.entries(cells).flatMap(([label, fields]) => {
    const name = above === "" ? label : `${above}/${label}`;
    const cell = toCell(fields, name, inherited, context);
    return [cell, ...nestedCells(fields.cells, name, inheritedFrom(cell), context)];
  });
}

function inheritedFrom({ boundary, acceptMissingControllers }: CellSpec): Inherited {
  return { root: boundary.root, acceptMissingControllers };
}

function toRoot(root: ManifestFields["root"]): RootSpec {
  return root === "host" ? { kind: "host" } : { kind: "image", image: root.image as ImageName };
}

function toCell(
  fields: ManifestFields | NestedFields,
  name: string,
  inherited: Inherited,
  context: Context,
): CellSpec {
  const cell = toCellName(name, context);
  return {
    name: cell,
    boundary: toBoundary(fields, cell, inherited, context),
    ...fields.limits,
    acceptMissingControllers:
      fields["accept-missing-controllers"] ?? inherited.acceptMissingControllers,
    publish: [],
    units: Object.entries(fields.units).map(([unit, unitFields]) =>
      toUnit(unit, unitFields, name, context),
    ),
  };
}

function toCellName(name: string, { monolith }: Context): CellName {
  return (name === "" ? monolith : `${monolith}/${name}`) as CellName;
}

function toBoundary(
  fields: ManifestFields | NestedFields,
  cell: CellName,
  inherited: Inherited,
  { directory }: Context,
): BoundarySpec {
  return {
    root: fields.root === undefined ? inherited.root : toRoot(fields.root),
    network: "parent",
    hostname: cell.slice(cell.lastIndexOf("/") + 1),
    mounts: fields.mounts.map(({ volume, path, owner, mode, "read-only": readOnly }) => ({
      volume: volume as VolumeName,
      path,
      readOnly,
      ...(owner === undefined ? {} : { owner }),
      ...(mode === undefined ? {} : { mode }),
    })),
    tmpfs: fields.tmpfs.map(({ path, size }) => ({ path, sizeBytes: size })),
    files: fields.files.map(({ source, path }) => ({
      source: resolveHostPath(directory, source),
      path,
    })),
  };
}

function settingsOf(fields: ManifestFields, context: Context): Pick<MonolithSpec, "settings"> {
  const settings = settingsIn(fields, "", context);
  return settings.length === 0 ? {} : { settings };
}

function settingsIn(
  { files, cells }: ManifestFields | NestedFields,
  name: string,
  context: Context,
): readonly SettingsSpec[] {
  return [
    ...files
      .filter(({ keys, without }) => keys.length + without.length > 0)
      .map(({ source, keys, without }) => ({
        cell: toCellName(name, context),
        source: resolveHostPath(context.directory, source),
        keys,
        without,
      })),
    ...Object.entries(cells).flatMap(([label, nested]) =>
      settingsIn(nested, name === "" ? label : `${name}/${label}`, context),
    ),
  ];
}

const MINUTE_MS = 60_000;

function toUnit(name: string, fields: UnitFields, cell: string, context: Context): UnitSpec {
  const oneShot = fields["one-shot"];
  return {
    name: name as UnitName,
    oneShot,
    argv: fields.argv,
    cwd: fields.cwd,
    env: fields.env,
    envFiles: fields["env-files"],
    user: fields.user,
    readiness: fields.readiness.readiness,
    readinessIntervalMs: fields.readiness.intervalMs,
    startTimeoutMs: fields["start-timeout"] ?? (oneShot ? 10 * MINUTE_MS : MINUTE_MS),
    ...(fields.liveness === undefined ? {} : { liveness: fields.liveness }),
    ...(fields.health === undefined ? {} : { health: toHealth(fields.health, fields) }),
    after: fields.after.map((text) => toRef(text, cell, context)),
    restart: toRestart(fields.restart, oneShot),
    stop: fields.stop.map((step) =>
      typeof step === "string" ? { kind: "signal", signal: step } : step,
    ),
    cleanExits: fields["clean-exits"],
    listen: Object.entries(fields.listen).map(([socket, at]) => ({ name: socket, ...at })),
    ...(fields.handover ? { handover: true } : {}),
    ...(fields.nofile === undefined ? {} : { nofile: fields.nofile }),
    log: { maxBytes: fields.log["max-size"], keep: fields.log.keep },
    ...(fields["stale-sockets"].length === 0 ? {} : { staleSockets: fields["stale-sockets"] }),
  };
}

function toHealth(
  health: HealthSpec | "readiness",
  { readiness: { readiness } }: UnitFields,
): HealthSpec {
  if (health !== "readiness") return health;
  if ("timeoutMs" in readiness) return { probe: readiness, ...HEALTH_DEFAULTS };
  throw new Error("a health probe passed the rules without a readiness probe");
}

function toRestart({ policy, ...backoff }: UnitFields["restart"], oneShot: boolean): RestartSpec {
  return { policy: policy ?? (oneShot ? "never" : "always"), ...backoff };
}
