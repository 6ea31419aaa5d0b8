// What the rest of Henge asks of storage: the pool, its volumes, its images, its snapshots. What is on disk about a
// volume beside the pool, and in which order it gets there, is nobody else's business.

import type { RootFiles } from "../root-files.js";
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

/** A snapshot of a monolith. */
export interface SnapshotRef {
  readonly monolith: MonolithName;
  readonly snapshot: SnapshotName;
}

export interface PoolPort {
  /** What it can keep of a volume beside its quota. */
  readonly keeps: readonly VolumeFeature[];
  /** Whether a snapshot of several volumes is one instant by itself; else their writers must be held still meanwhile. */
  readonly isOneInstant: boolean;
  /** Mounts the pool, makes it first where it is the embedded one and missing. Idempotent; callers wait for each other. */
  ensure(signal: AbortSignal): Promise<void>;
  /** @throws {HengeError} WRONG_STATE: the pool is not mounted, or it is another pool */
  facts(): Promise<PoolFacts>;
  /** Answers also where `facts` cannot: of a pool that is there but is not well. */
  health(): Promise<PoolHealth>;
}

export interface VolumesPort {
  list(monolith: MonolithName): Promise<readonly VolumeSpec[]>;
  /** Monoliths that have any volume in the pool. */
  listMonoliths(): Promise<readonly MonolithName[]>;
  /** @throws {HengeError} WRONG_STATE: there is one, or it was made before and the pool has lost it */
  create(monolith: MonolithName, volume: VolumeSpec, signal: AbortSignal): Promise<void>;
  /** Sets its quota, what else of it the pool keeps, and the place of its key; what is absent goes back to its default. */
  set(monolith: MonolithName, volume: VolumeSpec, signal: AbortSignal): Promise<void>;
  /** With its data. Idempotent. */
  destroy(monolith: MonolithName, volume: VolumeName, signal: AbortSignal): Promise<void>;
  /** Forgets what is on record of a monolith whose data is gone: volumes the pool has lost, a rollback that never ended. */
  forget(monolith: MonolithName): Promise<void>;
  /**
   * What a cell mounts.
   * @throws {HengeError} WRONG_STATE: it is not mounted, it is another dataset than the one that was made here, or a
   *   rollback of it has not ended
   */
  source(monolith: MonolithName, volume: VolumeName): Promise<MountSource>;
  /**
   * Makes volumes of another monolith with what was in a snapshot's volumes of the same names: all or none, but for a
   * daemon that is killed meanwhile.
   * @throws {HengeError} SNAPSHOT_NOT_FOUND · WRONG_STATE: there is such a volume already
   */
  clone(
    from: SnapshotRef,
    to: MonolithName,
    volumes: readonly VolumeSpec[],
    signal: AbortSignal,
  ): Promise<void>;
}

export interface ImagesPort {
  /** Unpacks a tar archive into a new dataset, whole or not at all, read-only from then on. `digest` is its SHA-256. */
  import(image: ImageName, archive: string, digest: string, signal: AbortSignal): Promise<void>;
  list(): Promise<readonly ImageStatus[]>;
  source(image: ImageName, digest: string): Promise<MountSource>;
  /** Runs `act` with its files, which can be read meanwhile. */
  look<T>(
    image: ImageName,
    digest: string,
    act: (files: RootFiles) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T>;
  destroy(image: ImageName, digest: string, signal: AbortSignal): Promise<void>;
}

export interface SnapshotsPort {
  /** Oldest first; also those an administrator took. */
  list(monolith: MonolithName): Promise<readonly SnapshotStatus[]>;
  /** @throws {HengeError} SNAPSHOT_NOT_FOUND */
  find(monolith: MonolithName, name: SnapshotName): Promise<FoundSnapshot>;
  /**
   * Of all its volumes under one name, whole or not at all.
   * @throws {HengeError} SNAPSHOT_EXISTS · WRONG_STATE: the monolith has no volume
   */
  take(monolith: MonolithName, name: SnapshotName, signal: AbortSignal): Promise<void>;
  /** @throws {HengeError} SNAPSHOT_NOT_FOUND · WRONG_STATE: a clone cannot be without it */
  destroy(monolith: MonolithName, name: SnapshotName, signal: AbortSignal): Promise<void>;
  /**
   * Makes the volumes what they were, and destroys the snapshots taken since. None of the volumes may be mounted. From
   * its first act on none of them can be mounted until all are rolled back, whatever happens to the daemon.
   * @throws {HengeError} SNAPSHOT_NOT_FOUND · WRONG_STATE: a clone cannot be without a later snapshot
   */
  rollBack(monolith: MonolithName, name: SnapshotName, signal: AbortSignal): Promise<void>;
  /** Where a rollback that has not ended goes back to. */
  unfinishedRollback(monolith: MonolithName): SnapshotName | undefined;
  /** Ends a rollback that was begun; undefined when none was. */
  finishRollback(monolith: MonolithName, signal: AbortSignal): Promise<SnapshotName | undefined>;
}

export interface Storage {
  readonly pool: PoolPort;
  readonly volumes: VolumesPort;
  readonly images: ImagesPort;
  readonly snapshots: SnapshotsPort;
}
