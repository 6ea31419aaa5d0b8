// The two clocks of the host as one port, and the two ways to wait on it. Stamps for people come from the wall clock;
// whatever is subtracted from or added to comes from the monotonic one, which nobody can set.

export interface Clock {
  /** Milliseconds since the epoch, for stamps only: it jumps when somebody sets the host's clock. */
  now(): number;
  /** Milliseconds since some moment of this process; it never goes back. Durations and deadlines are in it. */
  monotonicMs(): number;
  /** Calls back once after `ms` on the monotonic clock; returns what cancels it. */
  after(ms: number, callback: () => void): () => void;
}

// A timer of Node's that is set for longer fires at once.
const TIMER_MAX_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(ms, callback) {
    let cancel: () => void;
    const timer = setTimeout(
      () => {
        if (ms <= TIMER_MAX_MS) callback();
        else cancel = systemClock.after(ms - TIMER_MAX_MS, callback);
      },
      Math.min(ms, TIMER_MAX_MS),
    );
    cancel = (): void => {
      clearTimeout(timer);
    };
    return () => {
      cancel();
    };
  },
};

/** @param atMs on the monotonic clock; what is past is due now */
export function callAt(clock: Clock, atMs: number, callback: () => void): () => void {
  return clock.after(Math.max(0, atMs - clock.monotonicMs()), callback);
}

/** Returns after `ms`, or at once when the signal aborts; whoever has to end then asks the signal. */
export function pause(clock: Pick<Clock, "after">, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal.addEventListener("abort", done);
  });
}

/**
 * Gives an act a signal that aborts after `ms`, or when one of `also` does. The timer ends with the act.
 * @returns what the act returns; that it heeds the signal is its own affair
 */
export async function withDeadline<T>(
  clock: Pick<Clock, "after">,
  ms: number,
  act: (signal: AbortSignal) => Promise<T>,
  ...also: readonly AbortSignal[]
): Promise<T> {
  const ended = new AbortController();
  const passOn = also.map((signal) => ({
    signal,
    abort: (): void => {
      ended.abort(signal.reason);
    },
  }));
  for (const { signal, abort } of passOn) {
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
  }
  const cancel = clock.after(ms, () => {
    ended.abort(new DOMException(`no end after ${String(ms)} ms`, "TimeoutError"));
  });
  try {
    return await act(ended.signal);
  } finally {
    cancel();
    for (const { signal, abort } of passOn) signal.removeEventListener("abort", abort);
  }
}
