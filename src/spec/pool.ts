// What a storage pool tells of its own state; `henge doctor` judges it.

export type PoolHealth = ZfsHealth | BtrfsHealth;

export interface ZfsHealth {
  readonly driver: "zfs";
  readonly pool: string;
  /** The word of zpool(8): ONLINE, DEGRADED, SUSPENDED, FAULTED, … */
  readonly state: string;
  /** Absent of one that is FAULTED. */
  readonly capacityPercent?: number;
  readonly scrub: Scrub;
  /** Devices that are not as they should be. */
  readonly devices: readonly ZfsDevice[];
  /** What `zpool status` says after `errors:`; absent when there are none that it knows of. */
  readonly dataErrors?: string;
}

export interface ZfsDevice {
  readonly name: string;
  readonly state: string;
  /** Read, write and checksum errors together. */
  readonly errors: number;
}

/** `unknown`: a resilver came after it, and only the last of both is remembered. */
export type Scrub =
  | { readonly kind: "never" | "running" | "unknown" }
  | { readonly kind: "done"; readonly endedMs: number };

export interface BtrfsHealth {
  readonly driver: "btrfs";
  /** Where it is mounted. */
  readonly path: string;
  readonly isReadOnly: boolean;
  /** Of `btrfs device stats`, those above 0. */
  readonly errors: readonly {
    readonly device: string;
    readonly kind: string;
    readonly count: number;
  }[];
}
