// What of the host a cell's spec is held against: where it can run, which disks there are, how much there is.

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

/** What of the host its units share. */
export interface HostCapacity {
  readonly memoryBytes: number;
  /** The highest RLIMIT_NOFILE a unit can be given, and why no higher. */
  readonly nofileMax: number;
  readonly nofileFrom: string;
  /** What a unit gets that asks for none. */
  readonly nofileDefault: number;
}
