// What a manifest may ask of a volume, in the words of zfsprops(7).

import type { VolumeName } from "./names.js";

/** Values as `zfs get -p` prints them: bytes in full, 0 for none. */
export const VOLUME_PROPERTIES = [
  "recordsize",
  "compression",
  "logbias",
  "primarycache",
  "atime",
  "quota", // with its snapshots
  "reservation",
] as const;
export type VolumeProperty = (typeof VOLUME_PROPERTIES)[number];
export type VolumeProperties = Readonly<Partial<Record<VolumeProperty, string>>>;

/** What a volume has of which its manifest says nothing. */
export const VOLUME_DEFAULTS: Readonly<Record<VolumeProperty, string>> = {
  recordsize: "131072",
  compression: "lz4",
  logbias: "latency",
  primarycache: "all",
  atime: "off",
  quota: "0",
  reservation: "0",
};

export const KEY_FORMATS = ["raw", "hex", "passphrase"] as const;

export interface EncryptionSpec {
  /** Absolute, on the daemon's host. */
  readonly keyFile: string;
  /** raw: 32 bytes; hex: 64 digits; passphrase: 8..512 bytes. */
  readonly keyFormat: (typeof KEY_FORMATS)[number];
}

export interface VolumeSpec {
  readonly name: VolumeName;
  /** Most it may hold itself, snapshots aside (`refquota` of ZFS); every driver keeps it. */
  readonly quotaBytes?: number;
  /** Without those at their defaults. */
  readonly properties?: VolumeProperties;
  /** Fixed when the volume is made, but for the place of its key. */
  readonly encryption?: EncryptionSpec;
}

/** What a driver may not be able to keep: then what only tunes is left out, and what was promised is refused. */
export type VolumeFeature = VolumeProperty | "encryption";
export const VOLUME_PROMISES: readonly VolumeFeature[] = ["quota", "reservation", "encryption"];
