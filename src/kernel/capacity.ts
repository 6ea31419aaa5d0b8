// What units can be given of this host: memory, and file descriptors for each process.

import type { HostCapacity } from "../spec/index.js";

/** What the warden gives a unit that asks for none, where the hard limit allows it. */
const NOFILE_DEFAULT = 65_536;
// The kernel's own where it cannot be read. @see https://docs.kernel.org/admin-guide/sysctl/fs.html#nr-open
const NR_OPEN_DEFAULT = 1_048_576;
const CAP_SYS_RESOURCE = 24n;

/** Files of /proc as they are; absent when they cannot be read. */
interface CapacityFacts {
  readonly memoryBytes: number;
  readonly nrOpen: string | undefined;
  /** proc_pid_status(5) and proc_pid_limits(5) of the process whose rights wardens inherit. */
  readonly status: string | undefined;
  readonly limits: string | undefined;
}

export function readCapacity({ memoryBytes, nrOpen, status, limits }: CapacityFacts): HostCapacity {
  const most = Number(nrOpen?.trim() ?? NR_OPEN_DEFAULT);
  const [, hard] = /^Max open files\s+\S+\s+(\d+)/m.exec(limits ?? "") ?? [];
  const inherited = Math.min(most, hard === undefined ? most : Number(hard));
  const mayRaise = holdsResources(status ?? "");
  return {
    memoryBytes,
    nofileMax: mayRaise ? most : inherited,
    nofileFrom: mayRaise
      ? "fs.nr_open of this host"
      : "hard limit of henged, without CAP_SYS_RESOURCE",
    nofileDefault: Math.min(NOFILE_DEFAULT, inherited),
  };
}

/** Whether CAP_SYS_RESOURCE is in effect. @param status proc_pid_status(5) */
export function holdsResources(status: string): boolean {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  return ((BigInt(`0x${mask}`) >> CAP_SYS_RESOURCE) & 1n) === 1n;
}
