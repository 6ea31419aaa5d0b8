// One change in flight for each monolith. A second one is refused with what is under way, not queued; but what the
// daemon does on its own account gives way to it.

import { HengeError } from "../../errors.js";
import type { MonolithName } from "../../spec/index.js";

interface UnderWay {
  readonly verb: string;
  readonly giveWay: AbortController | undefined;
  readonly ended: Promise<unknown>;
}

export class Exclusive {
  private readonly underWay = new Map<MonolithName, UnderWay>();

  /**
   * @param giveWay aborted when another change comes, which then waits for this one's end
   * @throws {HengeError} BUSY: another change of the monolith is in flight
   */
  async run<T>(
    monolith: MonolithName,
    verb: string,
    change: () => Promise<T>,
    giveWay?: AbortController,
  ): Promise<T> {
    for (;;) {
      const other = this.underWay.get(monolith);
      if (other === undefined) break;
      if (other.giveWay === undefined || giveWay !== undefined) throw busy(monolith, verb, other);
      other.giveWay.abort();
      await other.ended;
    }
    const result = change();
    const ended = result.then(
      () => this.underWay.delete(monolith),
      () => this.underWay.delete(monolith),
    );
    this.underWay.set(monolith, { verb, giveWay, ended });
    try {
      return await result;
    } finally {
      await ended;
    }
  }
}

function busy(monolith: MonolithName, verb: string, other: UnderWay): HengeError {
  return new HengeError("BUSY", `cannot ${verb} ${monolith}: ${other.verb} is under way`, {
    hint: "wait for it to end, or interrupt it, then try again",
  });
}
