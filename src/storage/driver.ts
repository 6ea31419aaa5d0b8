// What a file system has to be able to do to be a pool: the ports less what is put on record beside it. A driver never
// follows a name it did not make itself.

import type { MonolithName, SnapshotName, VolumeSpec } from "../spec/index.js";

import type { ImagesPort, PoolPort, SnapshotRef, SnapshotsPort, VolumesPort } from "./port.js";

export interface DriverVolumes extends Omit<VolumesPort, "clone" | "forget"> {
  /**
   * Makes one volume of another monolith.
   * @throws {HengeError} SNAPSHOT_NOT_FOUND · WRONG_STATE: there is such a volume already
   */
  clone(
    from: SnapshotRef,
    to: MonolithName,
    volume: VolumeSpec,
    signal: AbortSignal,
  ): Promise<void>;
}

export interface DriverSnapshots extends Pick<SnapshotsPort, "list" | "take" | "destroy"> {
  /** What was interrupted is finished by the same call. */
  rollBack(monolith: MonolithName, name: SnapshotName, signal: AbortSignal): Promise<void>;
}

export interface Driver {
  readonly pool: PoolPort;
  readonly volumes: DriverVolumes;
  readonly images: ImagesPort;
  readonly snapshots: DriverSnapshots;
}
