// The kernel's limits of a cell: which cgroup v2 files a manifest may write, in which order, and in which form.

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
