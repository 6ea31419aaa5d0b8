// When the rules are looked at: after each change of them, one look at a time, and after one that had to put them back
// not again for a second, so that two who disagree do not keep a CPU busy.

const REST_MS = 1_000;
const RETRY_MAX_MS = 30_000;

export interface Guard {
  /** Puts the rules back where they are not as they should be; true when it had to. */
  readonly restore: () => Promise<boolean>;
  /** They were put back; `by` changed them last, where that is known. */
  readonly told: (by?: string) => void;
  readonly failed: (error: unknown) => void;
}

/** Returns what is to be called after each change. */
export function guardRules(
  { restore, told, failed }: Guard,
  signal: AbortSignal,
): (by?: string) => void {
  let due = false;
  let looking = false;
  let last: string | undefined;
  let waitMs = REST_MS;
  const look = async (): Promise<void> => {
    looking = true;
    while (due && !signal.aborted) {
      due = false;
      // What comes while it acts may be its own act.
      const by = last;
      try {
        const acted = await restore();
        waitMs = REST_MS;
        if (!acted) continue;
        told(by);
      } catch (error) {
        failed(error);
        due = true;
        waitMs = Math.min(2 * waitMs, RETRY_MAX_MS);
      }
      await rest(waitMs, signal);
    }
    looking = false;
  };
  return (by) => {
    due = true;
    last = by;
    if (!looking) void look();
  };
}

function rest(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms).unref();
    signal.addEventListener("abort", end);
  });
}
