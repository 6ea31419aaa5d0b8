// Which 65,536 host uids a cell gets: ranges are disjoint within a root, and roots start in blocks of their own.

import { HengeError } from "../../errors.js";

const UIDS_PER_CELL = 65_536;
// Below this are the host's own users and the ranges useradd(8) hands to rootless containers.
const FIRST_RANGE = 16;
const LAST_RANGE = 32_767;
const RANGES_PER_ROOT = 1_024;

/**
 * @param rootKey empty for the default root, else hex digits
 * @param taken first uids in use in this root
 * @returns the first uid of a free range, a multiple of 65,536 not below 2^20
 * @throws {HengeError} OVER_CAPACITY: every range of this root is in use
 */
function chooseUidBase(rootKey: string, taken: ReadonlySet<number>): number {
  const blocks = Math.floor((LAST_RANGE - FIRST_RANGE + 1) / RANGES_PER_ROOT);
  const block = rootKey === "" ? 0 : 1 + (Number.parseInt(rootKey, 16) % (blocks - 1));
  for (let n = 0; n < RANGES_PER_ROOT; n++) {
    const base = (FIRST_RANGE + block * RANGES_PER_ROOT + n) * UIDS_PER_CELL;
    if (!taken.has(base)) return base;
  }
  throw new HengeError(
    "OVER_CAPACITY",
    `cannot allocate a cell: all ${String(RANGES_PER_ROOT)} uid ranges of this root are in use`,
    {
      hint: "free cells that are not needed",
    },
  );
}

/** A range is nobody else's from when it is chosen: cells of several monoliths are raised beside each other. */
export class UidRanges {
  private readonly rootKey: string;
  private readonly taken: () => readonly number[];
  private readonly lent = new Set<number>();

  /** @param taken first uids of the cells there are */
  constructor(rootKey: string, taken: () => readonly number[]) {
    this.rootKey = rootKey;
    this.taken = taken;
  }

  /**
   * @param raise makes a cell of the range, which is among the taken ones when it returns
   * @throws {HengeError} as chooseUidBase does
   */
  async lend(raise: (uidBase: number) => Promise<void>): Promise<void> {
    const uidBase = chooseUidBase(this.rootKey, new Set([...this.taken(), ...this.lent]));
    this.lent.add(uidBase);
    try {
      await raise(uidBase);
    } finally {
      this.lent.delete(uidBase);
    }
  }
}
