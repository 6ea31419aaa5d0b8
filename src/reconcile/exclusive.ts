// One change in flight for each monolith; a second one is refused with what is under way, not queued.

import { HengeError } from "../errors.js";
import type { MonolithName } from "../spec/index.js";

export class Exclusive {
  private readonly underWay = new Map<MonolithName, string>();

  /** @throws {HengeError} BUSY: another change of this monolith is in flight */
  async run<T>(monolith: MonolithName, verb: string, change: () => Promise<T>): Promise<T> {
    const other = this.underWay.get(monolith);
    if (other !== undefined) {
      throw new HengeError("BUSY", `cannot ${verb} ${monolith}: ${other} is under way`, {
        hint: "wait for it to end, or interrupt it, then try again",
      });
    }
    this.underWay.set(monolith, verb);
    try {
      return await change();
    } finally {
      this.underWay.delete(monolith);
    }
  }
}
