// A clock that goes only when it is told to.

import type { Clock } from "../../src/reconcile/edges.js";

export class FakeClock implements Clock {
  private nowMs = 1_000_000;
  private readonly timers = new Map<
    object,
    { readonly atMs: number; readonly callback: () => void }
  >();

  now(): number {
    return this.nowMs;
  }

  after(ms: number, callback: () => void): () => void {
    const key = {};
    this.timers.set(key, { atMs: this.nowMs + ms, callback });
    return () => {
      this.timers.delete(key);
    };
  }

  /** Lets `ms` pass; timers due by then are called in order. */
  advance(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (;;) {
      const due = [...this.timers]
        .filter(([, { atMs }]) => atMs <= untilMs)
        .sort((a, b) => a[1].atMs - b[1].atMs)[0];
      if (due === undefined) break;
      const [key, { atMs, callback }] = due;
      this.timers.delete(key);
      this.nowMs = Math.max(this.nowMs, atMs);
      callback();
    }
    this.nowMs = untilMs;
  }
}
