// Memory that follows a changed cpuset.mems.

import type { Run } from "../command.js";

// The kernel copies some GiB a second; a large database is moved while it runs.
const MOVE_MS = 600_000;

/**
 * Moves what the processes in a cgroup and below it have already to the nodes they may use. The kernel alone does not the
 * first time, because units are born in their cgroups: docs/notes/cgroups.md.
 */
export type PlaceMemory = (directory: string) => Promise<void>;

/** @param helper absolute path of henge-helper, which makes the system call */
export function placeMemoryWith(run: Run, helper: string): PlaceMemory {
  return async (directory) => {
    await run([helper, "--place-memory", directory], { timeoutMs: MOVE_MS });
  };
}
