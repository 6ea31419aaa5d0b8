// Those who wait until something is so of one unit, and what they wait for.

import type { UnitState } from "../../spec/index.js";

import type { Clock } from "../clock.js";
import { withDeadline } from "../clock.js";

export const UP: ReadonlySet<UnitState> = new Set(["running", "degraded", "done"] as const);
export const ENDED: ReadonlySet<UnitState> = new Set(["stopped", "done", "failed"] as const);
export const SETTLED: ReadonlySet<UnitState> = new Set([
  ...UP,
  ...(["failed", "crashloop", "stopped"] as const),
]);

export class Waiters {
  private readonly waiting = new Set<() => void>();
  private readonly clock: Clock;
  private readonly late: (verb: string, why: unknown) => Error;

  /** @param late what a wait is rejected with that ends before it is so */
  constructor(clock: Clock, late: (verb: string, why: unknown) => Error) {
    this.clock = clock;
    this.late = late;
  }

  /** Whatever is waited for may be so now. */
  wake(): void {
    for (const check of [...this.waiting]) check();
  }

  until(verb: string, isSo: () => boolean, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        if (isSo()) settle(resolve);
        else if (signal.aborted)
          settle(() => {
            reject(this.late(verb, signal.reason));
          });
      };
      const settle = (act: () => void): void => {
        this.waiting.delete(check);
        signal.removeEventListener("abort", check);
        act();
      };
      this.waiting.add(check);
      signal.addEventListener("abort", check);
      check();
    });
  }

  within(
    verb: string,
    isSo: () => boolean,
    ms: number,
    ...also: readonly AbortSignal[]
  ): Promise<void> {
    return withDeadline(this.clock, ms, (signal) => this.until(verb, isSo, signal), ...also);
  }
}
