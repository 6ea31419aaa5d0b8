// What a manifest asks for, after parsing and normalising: every default is filled in, every unit is in the name.

import type { BudgetSpec, ExclusiveSpec } from "./budget.js";
import type { CellName, ImageName, MonolithName, UnitName, VolumeName } from "./names.js";
import type { SettingsSpec } from "./settings.js";
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

/** Of cgroup v2, which Henge hands to cells where the host offers them. */
export const CONTROLLERS = ["cpu", "cpuset", "memory", "io", "pids"] as const;
export type Controller = (typeof CONTROLLERS)[number];

/**
 * The cgroup v2 files a manifest may write, in the order they are written: what a kill for want of memory does is said before
 * one can come of a lower `memory.max`, and CPUs come before the memory that follows them. @see https://docs.kernel.org/admin-guide/cgroup-v2.html */
export const LIMIT_FILES = [
  "cpu.weight",
  "cpu.max",
  "cpuset.cpus",
  "cpuset.mems",
  "memory.min",
  "memory.low",
  "memory.high",
  "memory.swap.max",
  "memory.oom.group",
  "memory.max",
  "io.weight",
  "io.max",
  "pids.max",
] as const;
export type LimitFile = (typeof LIMIT_FILES)[number];

/** What each file holds where nothing was written, in the form of `Limits`. */
export const LIMIT_DEFAULTS: Readonly<Record<LimitFile, string>> = {
  "cpu.weight": "100",
  "cpu.max": "max 100000",
  "cpuset.cpus": "",
  "cpuset.mems": "",
  "memory.min": "0",
  "memory.low": "0",
  "memory.high": "max",
  "memory.swap.max": "max",
  "memory.oom.group": "0",
  "memory.max": "max",
  "io.weight": "100",
  "io.max": "",
  "pids.max": "max",
};

/** The controller that must be offered for the file to exist. */
export function controllerOf(file: LimitFile): Controller {
  return file.slice(0, file.indexOf(".")) as Controller;
}

/**
 * Kernel file → the text written to it and expected back: bytes as decimal multiples of 4096 or `max`,
 * `cpu.max` as `QUOTA PERIOD` in µs, `io.max` as `MAJ:MIN rbps=N wbps=N riops=N wiops=N` lines.
 */
export type Limits = Readonly<Partial<Record<LimitFile, string>>>;

/** Where cells can run, as lists such as `0-3,8`; empty where the cpuset controller is not offered. */
export interface Topology {
  readonly cpus: string;
  readonly mems: string;
  /** Those with CPUs and memory. */
  readonly nodes: readonly NumaNode[];
}

export interface NumaNode {
  readonly number: number;
  readonly cpus: string;
}

/** What io.max may name. */
export interface BlockDevice {
  /** `MAJOR:MINOR`. */
  readonly number: string;
  /** In /dev, e.g. `sda`. */
  readonly name: string;
  /** `MAJOR:MINOR` of the disk it is a partition of; the kernel limits whole disks only. */
  readonly disk?: string;
}

export interface UnitRef {
  readonly cell: CellName;
  readonly unit: UnitName;
}

export interface UnitSpec {
  readonly name: UnitName;
  /** Runs to its end once; done when it exits clean. */
  readonly oneShot: boolean;
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Absolute paths inside the cell, read at start; later ones win over earlier, `env` wins over all. */
  readonly envFiles: readonly string[];
  /** Name in the cell's /etc/passwd, or a number 0..65535. */
  readonly user: string;
  readonly readiness: ProbeSpec | { readonly kind: "none" } | { readonly kind: "notify" };
  readonly readinessIntervalMs: number;
  /** From start to ready (or, for a one-shot, to its end); then the start counts as failed. */
  readonly startTimeoutMs: number;
  readonly liveness?: LivenessSpec;
  readonly health?: HealthSpec;
  /** Started only when each of these is ready, or done when it is a one-shot. */
  readonly after: readonly UnitRef[];
  readonly restart: RestartSpec;
  readonly stop: readonly StopStep[];
  /** Exit codes and signals that count as success, e.g. [0, "SIGTERM"]. */
  readonly cleanExits: readonly (number | SignalName)[];
  /** Sockets the warden holds and passes from descriptor 3 on (LISTEN_FDS, sd_listen_fds(3)). */
  readonly listen: readonly ListenSpec[];
  /** Restarted by a new run beside the old one, which ends once the new one is ready. Absent: stopped, then started. */
  readonly handover?: true;
  /** RLIMIT_NOFILE, soft and hard. */
  readonly nofile?: number;
  readonly log: LogSpec;
  /** Absolute paths in the cell of unix sockets a run may have left: removed before each start. Absent when there are none. */
  readonly staleSockets?: readonly string[];
}

export type ProbeSpec =
  | { readonly kind: "exec"; readonly argv: readonly string[]; readonly timeoutMs: number }
  | { readonly kind: "tcp"; readonly port: number; readonly timeoutMs: number }
  | {
      readonly kind: "http";
      readonly port: number;
      readonly path: string;
      readonly headers: Readonly<Record<string, string>>;
      /** Accepted status codes; empty means 200..399. */
      readonly status: readonly number[];
      readonly timeoutMs: number;
    };

export interface LivenessSpec {
  readonly probe: ProbeSpec;
  readonly intervalMs: number;
  /** Failures in a row after which the unit is restarted. */
  readonly failures: number;
}

export interface HealthSpec {
  readonly probe: ProbeSpec;
  readonly intervalMs: number;
  /** Failures in a row after which the unit is shown as degraded; it is never restarted for them. */
  readonly failures: number;
}

export interface RestartSpec {
  /** `always`: any exit that was not asked for; `on-failure`: only one that is not clean. */
  readonly policy: "always" | "on-failure" | "never";
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  /** Up this long, the back-off starts anew. */
  readonly resetAfterMs: number;
  /** Failed starts in a row after which the unit is shown as in a crash loop; it is still retried at backoffMaxMs. */
  readonly crashLoopAfter: number;
  /** Where several units are restarted at once, it has a turn of its own, after a pause of up to this. */
  readonly staggerMs?: number;
}

export type SignalName = `SIG${string}`;

/** The kernel kills what is left of the unit's cgroup after the last step, always. */
export type StopStep =
  | { readonly kind: "signal"; readonly signal: SignalName }
  /** Waits at most this long for the main process to end; the steps end early when it has. */
  | { readonly kind: "wait"; readonly ms: number };

export interface ListenSpec {
  readonly name: string;
  /** IPv4 address in the cell's network namespace. */
  readonly address: string;
  readonly port: number;
}

export interface LogSpec {
  /** A log file is rotated when it would grow beyond this. */
  readonly maxBytes: number;
  /** Rotated files kept beside the current one. */
  readonly keep: number;
}
