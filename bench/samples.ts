// Interleaved timing: one run of each subject in turn, so that what slows the machine slows them all.

/** One thing that is timed. */
export interface Subject {
  readonly measure: string;
  readonly name: string;
  /** Milliseconds of one run; what it prepares and cleans up is not in them. */
  run(): Promise<number>;
}

export interface Row {
  readonly measure: string;
  readonly subject: string;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly n: number;
}

const WARM_UP = 5;

/** Times `count` runs of each subject, after a few that are thrown away. */
export async function measure(
  subjects: readonly Subject[],
  count: number,
  signal: AbortSignal,
): Promise<readonly Row[]> {
  const samples = new Map<Subject, number[]>(subjects.map((subject) => [subject, []]));
  for (let round = -WARM_UP; round < count; round += 1) {
    for (const [subject, times] of samples) {
      signal.throwIfAborted();
      const ms = await subject.run();
      if (round >= 0) times.push(ms);
    }
  }
  return [...samples].map(([subject, times]) => ({
    measure: subject.measure,
    subject: subject.name,
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
    n: times.length,
  }));
}

/** The smallest sample that is not exceeded by `share` of all samples, to a microsecond. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const ms = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
  return Math.round(ms * 1000) / 1000;
}

export async function timed(act: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await act();
  return performance.now() - begun;
}
