// One interface over the pool's file systems. A driver never follows a name it did not make itself.

import type {
  ImageName,
  ImageStatus,
  MonolithName,
  MountSource,
  PoolHealth,
  SnapshotName,
  SnapshotStatus,
  VolumeFeature,
  VolumeName,
  VolumeSpec,
} from "../spec/index.js";

export interface PoolFacts {
  readonly driver: "btrfs" | "zfs";
  /** Where a btrfs pool is mounted, or the dataset of ZFS that was given to Henge. */
  readonly path: string;
  readonly totalBytes: number;
  readonly freeBytes: number;
}

export interface FoundSnapshot {
  readonly found: SnapshotStatus;
  /** Taken since. */
  readonly later: readonly SnapshotStatus[];
}

export interface VolumeDriver {
  /** What it can keep of a volume beside its quota. */
  readonly keeps: readonly VolumeFeature[];
  /** Whether a snapshot of several volumes is one instant by itself; else their writers must be held still meanwhile. */
  readonly isOneInstant: boolean;
  /** Mounts the pool, makes it first where it is the embedded one and missing. Idempotent. */
  ensurePool(signal: AbortSignal): Promise<void>;
  /** @throws {HengeError} WRONG_STATE: the pool is not mounted, or it is another pool */
  facts(): Promise<PoolFacts>;
  /** Answers also where `facts` cannot: of a pool that is there but is not well. */
  health(): Promise<PoolHealth>;
  listVolumes(monolith: MonolithName): Promise<readonly VolumeSpec[]>;
  /** Monoliths that have any volume in the pool. */
  listMonoliths(): Promise<readonly MonolithName[]>;
  createVolume(monolith: MonolithName, volume: VolumeSpec, signal: AbortSignal): Promise<void>;
  /** Sets its quota, what else of it the pool keeps, and the place of its key; what is absent goes back to its default. */
  setVolume(monolith: MonolithName, volume: VolumeSpec, signal: AbortSignal): Promise<void>;
  destroyVolume(monolith: MonolithName, volume: VolumeName, signal: AbortSignal): Promise<void>;
  /** @throws {HengeError} WRONG_STATE: not mounted or not the dataset it should be */
  volumeSource(monolith: MonolithName, volume: VolumeName): Promise<MountSource>;
  /** Unpacks a tar archive into a new dataset, whole or not at all, read-only from then on. `digest` is its SHA-256. */
  importImage(
    image: ImageName,
    archive: string,
    digest: string,
    signal: AbortSignal,
  ): Promise<void>;
  listImages(): Promise<readonly ImageStatus[]>;
  imageSource(image: ImageName, digest: string): Promise<MountSource>;
  destroyImage(image: ImageName, digest: string, signal: AbortSignal): Promise<void>;
  /** Oldest first; also those an administrator took. */
  listSnapshots(monolith: MonolithName): Promise<readonly SnapshotStatus[]>;
  /** @throws {HengeError} SNAPSHOT_NOT_FOUND */
  findSnapshot(monolith: MonolithName, name: SnapshotName): Promise<FoundSnapshot>;
  /**
   * Of all its volumes under one name, whole or not at all.
   * @throws {HengeError} SNAPSHOT_EXISTS · WRONG_STATE: the monolith has no volume
   */
  takeSnapshot(monolith: MonolithName, name: SnapshotName, signal: AbortSignal): Promise<void>;
  /** @throws {HengeError} SNAPSHOT_NOT_FOUND · WRONG_STATE: a clone cannot be without it */
  destroySnapshot(monolith: MonolithName, name: SnapshotName, signal: AbortSignal): Promise<void>;
  /**
   * Makes the volumes what they were, and destroys the snapshots taken since. What was interrupted is finished by the
   * same call. None of the volumes may be mounted.
   * @throws {HengeError} SNAPSHOT_NOT_FOUND · WRONG_STATE: a clone cannot be without a later snapshot
   */
  rollBack(monolith: MonolithName, name: SnapshotName, signal: AbortSignal): Promise<void>;
  /**
   * Makes a volume of another monolith with what was in a snapshot's volume of the same name.
   * @throws {HengeError} SNAPSHOT_NOT_FOUND · WRONG_STATE: there is such a volume already
   */
  cloneVolume(
    from: { readonly monolith: MonolithName; readonly snapshot: SnapshotName },
    to: MonolithName,
    volume: VolumeSpec,
    signal: AbortSignal,
  ): Promise<void>;
}
