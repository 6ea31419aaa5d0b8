// One change in flight for each monolith. A second one is refused with what is under way, not queued; but some give way
// to others: they are interrupted, and waited for.

import { HengeError } from "../../errors.js";
import type { MonolithName } from "../../spec/index.js";

interface UnderWay {
  readonly verb: string;
  readonly interrupt: (by: string) => void;
  readonly ended: Promise<unknown>;
}

export interface Entry {
  readonly verb: string;
  /** Ends the change soon. */
  readonly interrupt: (by: string) => void;
  /** Which verbs under way this one interrupts. */
  readonly interrupts: readonly string[];
  /** Waits for others instead of being refused. */
  readonly waits?: true;
}

export class MonolithMutex {
  private readonly underWay = new Map<MonolithName, UnderWay>();

  /** @throws {HengeError} BUSY: another change of the monolith is in flight */
  async run<T>(monolith: MonolithName, entry: Entry, change: () => Promise<T>): Promise<T> {
    for (;;) {
      const other = this.underWay.get(monolith);
      if (other === undefined) break;
      if (entry.interrupts.includes(other.verb)) other.interrupt(entry.verb);
      else if (entry.waits !== true) throw busy(monolith, entry.verb, other);
      await other.ended;
    }
    const result = change();
    const ended = result.then(
      () => this.underWay.delete(monolith),
      () => this.underWay.delete(monolith),
    );
    this.underWay.set(monolith, { ...entry, ended });
    try {
      return await result;
    } finally {
      await ended;
    }
  }
}

function busy(monolith: MonolithName, verb: string, other: UnderWay): HengeError {
  return new HengeError("BUSY", `cannot ${verb} ${monolith}: ${other.verb} is under way`, {
    hint: "wait for it to end, or henge operations --cancel ID, then try again",
  });
}
