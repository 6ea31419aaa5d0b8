// Those who wait until something is so of one unit, and what they wait for.

import type { UnitState } from "../../spec/index.js";

export const UP: ReadonlySet<UnitState> = new Set(["running", "degraded", "done"] as const);
export const ENDED: ReadonlySet<UnitState> = new Set(["stopped", "done", "failed"] as const);
export const SETTLED: ReadonlySet<UnitState> = new Set([
  ...UP,
  ...(["failed", "crashloop", "stopped"] as const),
]);

export class Waiters {
  private readonly waiting = new Set<() => void>();

  /** Whatever is waited for may be so now. */
  wake(): void {
    for (const check of [...this.waiting]) check();
  }

  /** @param late what it is rejected with when the signal aborts first */
  until(isSo: () => boolean, signal: AbortSignal, late: () => Error): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        if (isSo()) settle(resolve);
        else if (signal.aborted)
          settle(() => {
            reject(late());
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
}
