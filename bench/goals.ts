// What Henge is meant to reach, judged against what was measured. Where it falls short, that is what is reported.

import type { RestartReport } from "./restart.js";
import type { StartReport } from "./start.js";

export interface Verdict {
  readonly goal: string;
  readonly measured: number;
  readonly met: boolean;
}

/**
 * Times are medians. The other runtimes' are taken less what it costs to spawn any process, for a user of theirs
 * need not spawn it from Node; Henge's own are taken whole.
 */
export function judge({ rows, memory, idle }: StartReport): readonly Verdict[] {
  const p50 = (measure: string, subject: string): number =>
    rows.find((row) => row.measure === measure && row.subject === subject)?.p50Ms ?? Number.NaN;
  const pss = (subject: string): number =>
    memory.find((row) => row.subject === subject)?.pssKiB ?? Number.NaN;
  const spawn = p50("spawn", "/bin/true");
  const crun = p50("life", "crun run") - spawn;
  const crunExec = p50("start", "crun exec") - spawn;
  const runc = p50("life", "runc run") - spawn;
  const perCell = pss("henge-warden") + pss("init of a cell");
  return [
    atMost("start through the API / crun exec", p50("start", "henge (API)") / crunExec, 0.5),
    atMost("start by the warden / crun exec", p50("start", "henge-warden") / crunExec, 0.5),
    atMost("life through the API / crun run", p50("life", "henge (API)") / crun, 1),
    atMost("life by the warden / crun run", p50("life", "henge-warden") / crun, 0.7),
    atMost("life by the warden / runc run", p50("life", "henge-warden") / runc, 0.2),
    atMost("MiB per idle cell", perCell / 1024, 0.16),
    atMost("CPU share of the idle daemon", idle.cpuMs / 1000 / idle.seconds, 0.001),
  ];
}

/** On a machine that has other things to do the load alone is slower at times: what Henge adds to that is told as well. */
export function judgeRestart({ rows, control }: RestartReport): readonly Verdict[] {
  const { failed = Number.NaN, maxAddedMs = Number.NaN } =
    rows.find(({ subject }) => subject === "Henge") ?? {};
  return [
    atMost("failed requests, Henge", failed, 0),
    atMost("ms added at most, Henge", maxAddedMs, 10),
    atMost("ms more than without a restart", maxAddedMs - control.maxAddedMs, 10),
  ];
}

function atMost(what: string, measured: number, most: number): Verdict {
  const rounded = Math.round(measured * 10_000) / 10_000;
  return { goal: `${what} <= ${String(most)}`, measured: rounded, met: rounded <= most };
}
