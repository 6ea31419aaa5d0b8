// What the core asks of the kernel: one cgroup subtree, and facts about the host.

import type {
  BlockDevice,
  CellName,
  CellStats,
  Controller,
  HostCapacity,
  LimitFile,
  Limits,
  Topology,
} from "../spec/index.js";

export interface CgroupFacts {
  /** Where cgroup2 is mounted, from /proc/self/mountinfo. */
  readonly mount: string;
  /** Absolute directory of the one subtree this daemon owns. */
  readonly subtree: string;
  /** Controllers the subtree may hand to cells. */
  readonly offered: readonly Controller[];
}

export interface CgroupPort {
  readonly facts: CgroupFacts;
  /** Absolute directory of a cell's cgroup. */
  directoryOf(cell: CellName): string;
  /** Absolute directory of the leaf a cell's warden lives in; made when missing. Outside the cell's own cgroup. */
  ensureWardenLeaf(cell: CellName): Promise<string>;
  /** Makes the cell's cgroup with these limits, written and read back; the parent's exists. Idempotent. */
  ensureCell(cell: CellName, limits: Limits): Promise<void>;
  /**
   * Limits whose controller is not offered are refused with KERNEL_REFUSED before anything is written.
   * A cpuset that is lifted where processes run becomes all the subtree has, which is what the default means.
   * Memory the cell has already follows `cpuset.mems`.
   */
  writeLimit(cell: CellName, file: LimitFile, text: string): Promise<void>;
  /** The files among `LIMIT_FILES` that differ from the kernel's default, in the form of `Limits`. */
  readLimits(cell: CellName): Promise<Limits>;
  /** What the cell uses now; undefined when it has no cgroup. */
  stats(cell: CellName): Promise<CellStats | undefined>;
  topology(): Promise<Topology>;
  /** Every block device of the host. */
  blockDevices(): Promise<readonly BlockDevice[]>;
  /** Waits until `cgroup.events` says so. */
  setFrozen(cell: CellName, frozen: boolean, signal: AbortSignal): Promise<void>;
  isFrozen(cell: CellName): Promise<boolean>;
  isPopulated(cell: CellName): Promise<boolean>;
  /** cgroup.kill, then waits for `populated 0`. */
  kill(cell: CellName, signal: AbortSignal): Promise<void>;
  /**
   * Removes the cell's cgroup with its unit leaves; nested cells are gone already. Its warden's leaf goes when the warden has
   * ended, which nobody waits for; from now on it is not listed. Idempotent.
   */
  remove(cell: CellName): Promise<void>;
  /** Every cell that has a cgroup, parents before children. */
  list(): Promise<readonly CellName[]>;
}

export interface Hold {
  /** Lets everything go on. @returns false when something may have run before */
  release(): Promise<boolean>;
}

/**
 * Returns when nothing below `directory` runs any more.
 * @throws {HengeError} DEADLINE: it did not stand still in time, and goes on
 */
export type HoldStill = (directory: string) => Promise<Hold>;

export interface HostPort {
  /** TCP ports somebody listens on, on whatever address. */
  listeningPorts(): Promise<ReadonlySet<number>>;
  bootId(): Promise<string>;
  capacity(): Promise<HostCapacity>;
}

/** What a doctor judges. */
export interface HostFacts {
  system(): Promise<SystemFacts>;
  cgroupMounts(): Promise<CgroupMounts>;
  /**
   * What Henge needs of the kernel, by the facility's name; tried once for all who ask at the same time.
   * @throws {HengeError} the program that tries could not be run, or did not end in time
   */
  facilities(): Promise<ReadonlyMap<string, Probed>>;
  /**
   * @param source a directory of the pool, or its dataset
   * @throws {HengeError} as `facilities`
   */
  idMap(source: string): Promise<Probed | undefined>;
  openZfs(): Promise<OpenZfs>;
  /** None where there is no such directory. */
  certificates(directory: string): Promise<readonly Certificate[]>;
  /** With their processes where they are one of `ports`. */
  listeners(ports: ReadonlySet<number>): Promise<readonly Listener[]>;
  /** @throws {KernelError} the directory cannot be read */
  room(directory: string): Promise<Room>;
  /** Of one of the administrator's tools; undefined when it is not there. */
  pathOfTool(name: string): Promise<string | undefined>;
}

/** Text is as the kernel has it, undefined where it has no such file, or may not show it. */
export interface SystemFacts {
  /** That of uname(2), e.g. `6.12.48+deb13-amd64`. */
  readonly release: string;
  /** Whether CAP_SYS_RESOURCE is in effect for the process whose rights wardens inherit. */
  readonly holdsResources: boolean;
  readonly ipForward: string | undefined;
  readonly entropyAvailable: string | undefined;
  readonly nodesOnline: string | undefined;
}

export interface CgroupMounts {
  /** Controllers bound to cgroup v1 hierarchies. */
  readonly heldByV1: readonly string[];
  /** Options of the cgroup2 superblock. */
  readonly options: readonly string[];
}

export interface Probed {
  /** Of the refusal, e.g. ENOSYS; absent when it works. */
  readonly errno?: string;
  /** A word more, e.g. the step that was refused; empty when there is none. */
  readonly detail: string;
}

export interface OpenZfs {
  /** Text of /sys/module/zfs/version; absent when the module is not loaded. */
  readonly module?: string;
  /** Of `zfs version`, which tells it only when the module is loaded; absent when it does not. */
  readonly tools?: string;
  readonly hasTools: boolean;
}

export interface Certificate {
  /** Of its directory: certbot's name of the lineage. */
  readonly name: string;
  readonly content:
    | { readonly unreadable: string }
    | {
        readonly hosts: readonly string[];
        readonly notBeforeMs: number;
        readonly notAfterMs: number;
      };
  /** Mode bits of the private key; or why it cannot be looked at. */
  readonly key: { readonly mode: number } | { readonly unreadable: string };
}

export interface Listener {
  /** IPv4; `0.0.0.0` for all, also for IPv6's `::`, which takes IPv4's connections too unless it was told not to. */
  readonly address: string;
  readonly port: number;
  /** Of its socket. */
  readonly inode: number;
  /** Absent when it may not be seen, or has ended. */
  readonly process?: { readonly pid: number; readonly name: string };
}

export interface Room {
  readonly freeBytes: number;
  /** Absent where the file system makes them as it needs them. */
  readonly freeInodes?: number;
}
