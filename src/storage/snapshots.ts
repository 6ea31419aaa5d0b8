// From the snapshots of single volumes to those of a monolith, and what is refused of them. Pure.

import { HengeError } from "../errors.js";
import { isSnapshotName, keptByClone } from "../spec/index.js";
import type {
  MonolithName,
  SnapshotName,
  SnapshotStatus,
  VolumeName,
  VolumeSnapshot,
} from "../spec/index.js";

import type { FoundSnapshot } from "./port.js";

/** One volume's part of a snapshot, as the pool tells it. */
export interface Part extends VolumeSnapshot {
  readonly name: string;
  readonly createdAtMs: number;
  /** Rises with the pool's transactions; equal is the same instant. */
  readonly transaction: number;
  /** The volumes it was taken of; absent when it was not Henge that took it. */
  readonly members?: readonly string[];
  /** Why it cannot be relied on, as it was known when it was taken. */
  readonly reason?: string;
  readonly clones: readonly MonolithName[];
}

/** Oldest first. */
export function groupParts(parts: readonly Part[]): readonly SnapshotStatus[] {
  const names = [...new Set(parts.map(({ name }) => name))];
  return names
    .map((name) => parts.filter((part) => part.name === name))
    .sort((a, b) => newest(a) - newest(b))
    .map(toStatus);
}

function newest(parts: readonly Part[]): number {
  return Math.max(...parts.map(({ transaction }) => transaction));
}

function toStatus(parts: readonly Part[]): SnapshotStatus {
  const reason = reasonToDoubt(parts);
  const [first] = parts;
  return {
    name: first?.name ?? "",
    createdAtMs: first?.createdAtMs ?? 0,
    volumes: parts
      .map(({ volume, usedBytes, guid }) => ({ volume, usedBytes, guid }))
      .sort((a, b) => (a.volume < b.volume ? -1 : 1)),
    consistent: reason === undefined,
    ...(reason === undefined ? {} : { reason }),
    clones: [...new Set(parts.flatMap(({ clones }) => clones))].sort(),
  };
}

function reasonToDoubt(parts: readonly Part[]): string | undefined {
  if (parts.some(({ members }) => members === undefined)) return "Henge did not take it";
  const found = new Set<string>(parts.map(({ volume }) => volume));
  const lost = [...new Set(parts.flatMap(({ members }) => members ?? []))].filter(
    (volume) => !found.has(volume),
  );
  if (lost.length > 0) return `somebody destroyed its part of ${lost.sort().join(", ")}`;
  if (new Set(parts.map(({ transaction }) => transaction)).size > 1)
    return "its volumes are not of one instant";
  return parts.find(({ reason }) => reason !== undefined)?.reason;
}

/** A brand is only a promise of the type checker; this is the last look before a name reaches the pool. */
export function checkSnapshotName(name: string): SnapshotName {
  if (isSnapshotName(name)) return name;
  throw new HengeError(
    "INVALID_REQUEST",
    `cannot use ${JSON.stringify(name)} as the name of a snapshot`,
    { hint: "at most 63 small letters, digits, . _ -, a letter or digit first" },
  );
}

export function snapshotExists(monolith: MonolithName, name: SnapshotName): HengeError {
  return new HengeError(
    "SNAPSHOT_EXISTS",
    `cannot take snapshot ${name} of ${monolith}: there is one of that name`,
    { hint: `henge snapshots ${monolith} lists them` },
  );
}

export function nothingToSnapshot(monolith: MonolithName): HengeError {
  return new HengeError("WRONG_STATE", `cannot take a snapshot of ${monolith}: it has no volume`);
}

/** @throws {HengeError} SNAPSHOT_NOT_FOUND */
export function findSnapshot(
  snapshots: readonly SnapshotStatus[],
  monolith: MonolithName,
  name: SnapshotName,
): FoundSnapshot {
  const index = snapshots.findIndex((snapshot) => snapshot.name === name);
  const found = snapshots[index];
  if (found !== undefined) return { found, later: snapshots.slice(index + 1) };
  const known = snapshots.map((snapshot) => snapshot.name).join(", ");
  throw new HengeError("SNAPSHOT_NOT_FOUND", `cannot find snapshot ${name} of ${monolith}`, {
    hint: known === "" ? `henge snapshot ${monolith} takes one` : `it has: ${known}`,
  });
}

/** @throws {HengeError} WRONG_STATE: a clone cannot be without one of them */
export function refuseCloned(act: string, snapshots: readonly SnapshotStatus[]): void {
  const kept = keptByClone(snapshots);
  if (kept === undefined) return;
  throw new HengeError("WRONG_STATE", `cannot ${act}: ${kept.why}`, { hint: kept.hint });
}

/** @throws {HengeError} SNAPSHOT_NOT_FOUND: the snapshot was taken before the monolith had that volume */
export function partOf(snapshot: SnapshotStatus, volume: VolumeName): VolumeSnapshot {
  const part = snapshot.volumes.find((candidate) => candidate.volume === volume);
  if (part !== undefined) return part;
  throw new HengeError(
    "SNAPSHOT_NOT_FOUND",
    `cannot clone volume ${volume}: snapshot ${snapshot.name} has no such volume`,
  );
}
