// How what a daemon does grows with how many cells and monoliths it has: plan, up, ps, and taking them over.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openCgroups } from "../src/kernel/cgroup.js";
import { DaemonBench } from "./daemon.js";
import { busyCells } from "./manifest.js";
import { quantile, timed } from "./samples.js";
import { removeSubtree } from "./warden.js";

export interface ScaleRow {
  readonly cells: number;
  readonly monoliths: number;
  /** All monoliths planned, one after another, when they are as they should be. */
  readonly planMs: number;
  /** All monoliths brought up, one after another: a unit runs in each cell. */
  readonly upMs: number;
  /** One look at everything; the median of several. */
  readonly psMs: number;
  /** A daemon started after one that was killed takes all of it over. */
  readonly adoptMs: number;
  /** Of the daemon, after all that. */
  readonly rssMiB: number;
}

export interface ScaleReport {
  readonly rows: readonly ScaleRow[];
  /** `cost ~ cells^exponent` between the smallest and the largest of one monolith: 1 is linear. */
  readonly growth: Readonly<Record<"planMs" | "upMs" | "psMs" | "adoptMs", number>>;
}

export interface ScaleOptions {
  /** Cells of one monolith; the largest number is also divided among `monoliths`. */
  readonly cells: readonly number[];
  readonly monoliths: number;
  readonly tell: (text: string) => void;
  readonly signal: AbortSignal;
}

const LOOKS = 9;

export async function benchScale(options: ScaleOptions): Promise<ScaleReport> {
  const cells = options.cells.toSorted((a, b) => a - b);
  const shapes = cells.map((count) => ({ cells: count, monoliths: 1 }));
  const most = cells.at(-1) ?? 1;
  const divided = Math.max(1, Math.floor(most / options.monoliths)) * options.monoliths;
  const rows: ScaleRow[] = [];
  for (const shape of [...shapes, { cells: divided, monoliths: options.monoliths }])
    rows.push(await measureShape(shape, options));
  return { rows, growth: growthOf(rows.filter(({ monoliths }) => monoliths === 1)) };
}

async function measureShape(
  { cells, monoliths }: Pick<ScaleRow, "cells" | "monoliths">,
  { tell, signal }: ScaleOptions,
): Promise<ScaleRow> {
  signal.throwIfAborted();
  tell(`${String(cells)} cells in ${String(monoliths)} monoliths`);
  const root = mkdtempSync(join(tmpdir(), "henge-scale-"));
  // Made to learn where cgroup2 is mounted.
  const { facts } = await openCgroups({ subtreeName: `henge-bench-${String(process.pid)}` });
  try {
    const daemon = await DaemonBench.open({ root, cgroupMount: facts.mount });
    try {
      const manifests = Array.from({ length: monoliths }, (_, index) =>
        busyCells(cells / monoliths, `m${String(index)}`),
      );
      return { cells, monoliths, ...(await measureDaemon(daemon, manifests, signal)) };
    } finally {
      await daemon.end();
    }
  } finally {
    await removeSubtree(facts.subtree);
    rmSync(root, { recursive: true });
  }
}

async function measureDaemon(
  daemon: DaemonBench,
  manifests: readonly string[],
  signal: AbortSignal,
): Promise<Omit<ScaleRow, "cells" | "monoliths">> {
  const each = async (act: (manifest: string) => Promise<void>): Promise<number> =>
    await timed(async () => {
      for (const manifest of manifests) {
        signal.throwIfAborted();
        await act(manifest);
      }
    });
  const upMs = await each((manifest) => daemon.apply(manifest));
  const planMs = await each((manifest) => daemon.plan(manifest));
  const adoptMs = await daemon.adoptMs();
  const looks: number[] = [];
  for (let look = 0; look < LOOKS; look += 1) looks.push(await timed(() => daemon.list()));
  const rssMiB = daemon.rssMiB();
  return {
    planMs: rounded(planMs),
    upMs: rounded(upMs),
    psMs: rounded(quantile(looks, 0.5)),
    adoptMs,
    rssMiB: rounded(rssMiB),
  };
}

function growthOf(rows: readonly ScaleRow[]): ScaleReport["growth"] {
  const [first, last] = [rows[0], rows.at(-1)];
  const exponent = (of: "planMs" | "upMs" | "psMs" | "adoptMs"): number => {
    if (first === undefined || last === undefined || first === last) return Number.NaN;
    const ratio = Math.log(last[of] / first[of]) / Math.log(last.cells / first.cells);
    return Math.round(ratio * 100) / 100;
  };
  return {
    planMs: exponent("planMs"),
    upMs: exponent("upMs"),
    psMs: exponent("psMs"),
    adoptMs: exponent("adoptMs"),
  };
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
