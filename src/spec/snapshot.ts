// Snapshots of a whole monolith: one name over all of its volumes.

import type { MonolithName, VolumeName } from "./names.js";

export type SnapshotName = string & { readonly brand: "snapshot" };

/** No `@`, `%` or `/`, which ZFS gives a meaning to; nothing that begins like an option or like what is not whole yet. */
const SNAPSHOT_PATTERN = /^[a-z0-9][a-z0-9._-]{0,62}$/;

export function isSnapshotName(text: string): text is SnapshotName {
  return SNAPSHOT_PATTERN.test(text);
}

/** Oldest first wherever there are several. */
export interface SnapshotStatus {
  /** As the pool has it: one that Henge did not take may have a name no verb accepts. */
  readonly name: string;
  readonly createdAtMs: number;
  /** In the order of their names. */
  readonly volumes: readonly VolumeSnapshot[];
  /** Every volume the monolith had then, all in one instant. */
  readonly consistent: boolean;
  /** Why it is not consistent. */
  readonly reason?: string;
  /** Monoliths that cannot be without it. */
  readonly clones: readonly MonolithName[];
}

export interface VolumeSnapshot {
  readonly volume: VolumeName;
  /** Room that would be free without it. */
  readonly usedBytes: number;
  /** What the pool's own tools call it by, for ever. */
  readonly guid: string;
}

/** Why these snapshots cannot go, in words; undefined when no clone needs one of them. */
export function keptByClone(
  snapshots: readonly SnapshotStatus[],
): { readonly why: string; readonly hint: string } | undefined {
  for (const { name, clones } of snapshots) {
    const [clone] = clones;
    if (clone === undefined) continue;
    return {
      why: `${clone} was cloned from snapshot ${name} and cannot be without it`,
      hint: `it can go when ${clone} and its volumes are no longer there; docs/cli.md tells how a clone ends`,
    };
  }
  return undefined;
}
