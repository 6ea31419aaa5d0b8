// What a manifest asks for: a monolith and its cells. Every default is filled in, every measure is in the name.

import type { BudgetSpec, ExclusiveSpec } from "./budget.js";
import type { Controller, Limits } from "./limits.js";
import type { CellName, ImageName, MonolithName, VolumeName } from "./names.js";
import type { SettingsSpec } from "./settings.js";
import type { UnitRef, UnitSpec } from "./unit.js";
import type { VolumeSpec } from "./volume.js";

export interface MonolithSpec {
  readonly name: MonolithName;
  readonly images: readonly ImageSpec[];
  readonly volumes: readonly VolumeSpec[];
  /** Parents before children; the first is the root cell and bears the monolith's name. */
  readonly cells: readonly CellSpec[];
  readonly snapshots?: SnapshotPolicy;
  readonly upgrade?: UpgradeSpec;
  /** Absent when it declares none. */
  readonly budgets?: readonly BudgetSpec[];
  readonly exclusive?: readonly ExclusiveSpec[];
  readonly settings?: readonly SettingsSpec[];
}

/** What an upgrade runs beside restarting what has changed. */
export interface UpgradeSpec {
  /** While the old code still serves; the way back is open after them. */
  readonly before: readonly UpgradeRun[];
  /**
   * When nothing of the old code runs any more; there is no way back by itself after them. What ran before with more
   * environment runs once more without it, too.
   */
  readonly after: readonly UnitRef[];
  /** How long everything must stay ready on the new code before `after`. */
  readonly settleMs: number;
}

/** A one-shot unit that is run again, with more environment than it declares. */
export interface UpgradeRun {
  readonly unit: UnitRef;
  readonly env: Readonly<Record<string, string>>;
}

/** Snapshots that are taken by themselves. */
export interface SnapshotPolicy {
  /** Before anything of it is started, stopped or changed. */
  readonly beforeChanges: boolean;
  /** Of those taken by themselves, the newest that stay. */
  readonly keep: number;
}

export interface ImageSpec {
  readonly name: ImageName;
  /** Absolute path of a tar archive of a root filesystem, on the daemon's host. */
  readonly archive: string;
  /** SHA-256 of the archive, hex; absent until the daemon has read it. */
  readonly digest?: string;
}

export interface CellSpec {
  readonly name: CellName;
  /** Fixed when the cell is allocated; a change frees and allocates the cell anew. */
  readonly boundary: BoundarySpec;
  /** Written live. */
  readonly limits: Limits;
  /** NUMA node the cell is kept on, e.g. 0; the daemon's host tells what cpuset.* that means. */
  readonly numa?: number;
  /** Controllers the manifest accepts to go without on a host that does not offer them. */
  readonly acceptMissingControllers: readonly Controller[];
  /** Published ports, replaced live; only where `boundary.network` is own. */
  readonly publish: readonly PublishSpec[];
  /** In the manifest's order. */
  readonly units: readonly UnitSpec[];
}

export interface BoundarySpec {
  readonly root: RootSpec;
  /** `parent`: the network namespace of the cell it is nested in. */
  readonly network: "host" | "own" | "parent";
  readonly hostname: string;
  readonly mounts: readonly MountSpec[];
  readonly tmpfs: readonly TmpfsSpec[];
  readonly files: readonly FileSpec[];
}

export type RootSpec =
  | { readonly kind: "host" }
  | { readonly kind: "image"; readonly image: ImageName; readonly digest?: string };

export interface MountSpec {
  readonly volume: VolumeName;
  /** Absolute, inside the cell. */
  readonly path: string;
  readonly readOnly: boolean;
  /** User (and group) the top directory is given: a name of the cell's /etc/passwd or a number 0..65535. */
  readonly owner?: string;
  /** Mode of the top directory, e.g. 0o700. */
  readonly mode?: number;
}

export interface TmpfsSpec {
  readonly path: string;
  readonly sizeBytes: number;
}

/** One file of the host shown read-only in the cell. */
export interface FileSpec {
  readonly source: string;
  readonly path: string;
}

export interface PublishSpec {
  /** IPv4 address of the host, e.g. 127.0.0.1. */
  readonly hostAddress: string;
  readonly hostPort: number;
  readonly cellPort: number;
}
