// What was seen: of wardens, cgroups and the pool. Never stored.

import type { BoundarySpec, PublishSpec } from "./cell.js";
import type { Limits } from "./limits.js";
import type { CellName, ImageName, UnitName } from "./names.js";
import type { CellStats } from "./stats.js";
import type { UnitSpec } from "./unit.js";
import type { VolumeSpec } from "./volume.js";

/** The same words in proto, JSON and tables. */
export const CELL_STATES = [
  "absent", // declared, not allocated
  "running", // allocated, its warden answers
  "frozen", // allocated, every process stopped by cgroup.freeze
  "unsupervised", // allocated, but its warden is gone
  "blocked", // cannot be allocated now; `reason` says why
  "quarantined", // its record cannot be read; nothing is done to it
] as const;
export type CellState = (typeof CELL_STATES)[number];

/** The same words in proto, JSON and tables. */
export const UNIT_STATES = [
  "stopped", // not running, and not wanted or not yet started
  "starting", // running, not ready yet
  "running", // running and ready
  "stopping", // its stop steps are under way
  "backoff", // ended by itself; waits to be started again
  "crashloop", // ended too often; retried at the longest back-off
  "done", // a one-shot that ended clean
  "failed", // ended, and its policy does not start it again
  "degraded", // running, but not as it should: its health probe fails
] as const;
export type UnitState = (typeof UNIT_STATES)[number];

export interface ExitStatus {
  /** Exit code 0..255, when it exited. */
  readonly code?: number;
  /** Signal name, when it was killed by one. */
  readonly signal?: string;
  /** The kernel killed it because the memory of its cell, or of the host, ran out. */
  readonly outOfMemory?: true;
  readonly atMs: number;
}

export interface UnitStatus {
  readonly name: UnitName;
  /** As it was started, or adjusted since. */
  readonly spec: UnitSpec;
  readonly state: UnitState;
  readonly ready: boolean;
  /** Of its main process, as the host sees it. */
  readonly pid?: number;
  readonly startedAtMs?: number;
  readonly restarts: number;
  /** Of its last run. */
  readonly exit?: ExitStatus;
  /** What it was to hand over to in vain, since it was started. */
  readonly rejected?: UnitSpec;
  /** Why it is not running or not ready, in words; or how it hands over. */
  readonly reason?: string;
  /** What it said last, when it has failed and its cell alone was asked for. */
  readonly lastLines?: readonly string[];
}

export interface CellStatus {
  readonly name: CellName;
  readonly state: CellState;
  readonly boundary: BoundarySpec;
  /** As read back from the cgroup. */
  readonly limits: Limits;
  readonly publish: readonly PublishSpec[];
  readonly units: readonly UnitStatus[];
  readonly wardenPid?: number;
  readonly reason?: string;
  /** Of a root cell: what was asked of its monolith last and could not be reached, and why. */
  readonly notReached?: string;
  /** Where somebody asked for it, and the cell is allocated. */
  readonly stats?: CellStats;
}

export interface ImageStatus {
  readonly name: ImageName;
  readonly digest: string;
}

/** All that is known of one monolith. */
export interface Observed {
  readonly cells: readonly CellStatus[];
  readonly volumes: readonly VolumeSpec[];
  readonly images: readonly ImageStatus[];
}

/** What the warden must find on the descriptor it mounts, or refuse. */
export interface MountSource {
  /** btrfs: absolute directory on the host; zfs: name of the dataset, which is mounted nowhere but in the cell. */
  readonly path: string;
  /** f_type of statfs(2), e.g. 0x9123683e for btrfs. */
  readonly fsType: number;
  /** What a descriptor tells. btrfs: the subvolume's UUID, 32 hex digits; zfs: f_fsid of statfs(2), 16. */
  readonly identity: string;
  /** What the pool's own tools call it by, for ever: the subvolume's UUID, the dataset's guid. */
  readonly guid: string;
}
