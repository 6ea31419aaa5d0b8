// A clock that goes only when it is told to. The wall clock can be set, as an operator or NTP does; time itself cannot.

import type { Clock } from "../../src/reconcile/clock.js";

export class FakeClock implements Clock {
  private passedMs = 500;
  private wallMs = 999_500;
  private readonly timers = new Map<
    object,
    { readonly atMs: number; readonly callback: () => void }
  >();

  now(): number {
    return this.wallMs + this.passedMs;
  }

  monotonicMs(): number {
    return this.passedMs;
  }

  after(ms: number, callback: () => void): () => void {
    const key = {};
    this.timers.set(key, { atMs: this.passedMs + ms, callback });
    return () => {
      this.timers.delete(key);
    };
  }

  /** How many wait to be called. */
  get armed(): number {
    return this.timers.size;
  }

  /** Somebody sets the host's clock, forward or, below zero, back. */
  setWall(byMs: number): void {
    this.wallMs += byMs;
  }

  /** Lets `ms` pass; timers due by then are called in order. */
  advance(ms: number): void {
    const untilMs = this.passedMs + ms;
    for (;;) {
      const due = [...this.timers]
        .filter(([, { atMs }]) => atMs <= untilMs)
        .sort((a, b) => a[1].atMs - b[1].atMs)[0];
      if (due === undefined) break;
      const [key, { atMs, callback }] = due;
      this.timers.delete(key);
      this.passedMs = Math.max(this.passedMs, atMs);
      callback();
    }
    this.passedMs = untilMs;
  }
}
