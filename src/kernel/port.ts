// What the core asks of the kernel: one cgroup subtree, and facts about the host.

import type {
  BlockDevice,
  CellName,
  CellStats,
  Controller,
  HostCapacity,
  LimitFile,
  Limits,
  PublishSpec,
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

/** One line of `henge doctor`. */
export interface Finding {
  readonly check: string;
  readonly level: "ok" | "degraded" | "unfit";
  readonly text: string;
  /** What to do about it; absent when ok. */
  readonly hint?: string;
}

/** A port a manifest on record publishes. */
export interface PublishedPort extends PublishSpec {
  readonly cell: CellName;
  /** Henge's own rules lead it to the cell. */
  readonly isHeld: boolean;
}

export interface HostPort {
  /** TCP ports somebody listens on, on whatever address. */
  listeningPorts(): Promise<ReadonlySet<number>>;
  bootId(): Promise<string>;
  capacity(): Promise<HostCapacity>;
  /** Answers within seconds, also on a host whose pool or tools hang. */
  findings(published: readonly PublishedPort[]): Promise<readonly Finding[]>;
}
