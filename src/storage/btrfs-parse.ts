// Reads what btrfs-progs print, and the head of a btrfs superblock. Pure.

import { HengeError } from "../errors.js";
import type { BtrfsHealth } from "../spec/index.js";

export interface Subvolume {
  /** 32 hex digits. */
  readonly uuid: string;
  readonly readOnly: boolean;
  /** Limit of its quota group on referenced bytes; absent when there is none. */
  readonly quotaBytes?: number;
}

/**
 * Output of `btrfs subvolume show --raw`.
 * A cell may name its own snapshots, which are printed between the identity and the quota: the identity is taken
 * from the first line that has it, the quota from the last.
 */
export function parseSubvolumeShow(text: string): Subvolume {
  const uuid = /^\s*UUID:\s+([0-9a-f-]{36})$/m.exec(text)?.[1];
  const flags = /^\s*Flags:\s+(\S.*)$/m.exec(text)?.[1];
  if (uuid === undefined || flags === undefined) {
    throw new HengeError(
      "KERNEL_REFUSED",
      `cannot read what btrfs said of a subvolume: ${JSON.stringify(text.slice(0, 200))}`,
    );
  }
  const limit = [...text.matchAll(/^\s*Limit referenced:\s+(\d+|-|none)$/gm)].at(-1)?.[1] ?? "-";
  return {
    uuid: uuid.replaceAll("-", ""),
    readOnly: flags.split(/[\s,]+/).includes("readonly"),
    ...(/^\d+$/.test(limit) ? { quotaBytes: Number(limit) } : {}),
  };
}

export interface ListedSubvolume {
  readonly id: number;
  /** Transaction of the pool it was made in. */
  readonly madeIn: number;
  /** 32 hex digits. */
  readonly uuid: string;
  /** From the top of the pool. */
  readonly path: string;
}

/**
 * Output of `btrfs subvolume list -o -c -u`: those that lie in no other subvolume, so none that a cell has made and
 * named. Others may follow in the same form.
 */
export function parseSubvolumes(text: string): readonly ListedSubvolume[] {
  const row = /^ID (\d+) gen \d+ cgen (\d+) top level 5 uuid ([0-9a-f-]{36}) path (.+)$/gm;
  return [...text.matchAll(row)].map(([, id, madeIn, uuid = "", path = ""]) => ({
    id: Number(id),
    madeIn: Number(madeIn),
    uuid: uuid.replaceAll("-", ""),
    path,
  }));
}

/** Output of `btrfs qgroup show --raw`: bytes nobody else holds, by the id of the subvolume. */
export function parseExclusive(text: string): ReadonlyMap<number, number> {
  const rows = [...text.matchAll(/^0\/(\d+)\s+\d+\s+(\d+)/gm)];
  return new Map(rows.map(([, id, bytes]) => [Number(id), Number(bytes)]));
}

/** Output of `btrfs device stats`: the counters above 0. */
export function parseDeviceStats(text: string): BtrfsHealth["errors"] {
  return [...text.matchAll(/^\[(.+)\]\.(\w+)_errs\s+(\d+)$/gm)]
    .map(([, device = "", kind = "", count]) => ({ device, kind, count: Number(count) }))
    .filter(({ count }) => count > 0);
}

/** Where the superblock begins, and how much of it is read. @see https://btrfs.readthedocs.io/en/latest/dev/On-disk-format.html#superblock */
export const SUPERBLOCK = { offset: 0x10000, bytes: 0x48 } as const;
const FSID_OFFSET = 0x20;
const MAGIC_OFFSET = 0x40;

/** UUID of the file system, as `/sys/fs/btrfs` spells it; undefined when it is not a btrfs superblock. */
export function parseSuperblockUuid(head: Buffer): string | undefined {
  if (head.subarray(MAGIC_OFFSET, MAGIC_OFFSET + 8).toString("latin1") !== "_BHRfS_M")
    return undefined;
  const hex = head.subarray(FSID_OFFSET, FSID_OFFSET + 16).toString("hex");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
