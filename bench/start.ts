// How long a start and a whole life of a cell take beside crun, runc, bwrap and podman, and what an idle cell costs.
// Everything is measured in one run, in turn, with the same program, namespaces, id map and view.

import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, release, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { CellName } from "../src/spec/index.js";
import { DaemonBench } from "./daemon.js";
import { manyCells } from "./manifest.js";
import { childrenOf, mean, pssKiB } from "./memory.js";
import { Rivals } from "./rivals.js";
import { type Row, type Subject, measure } from "./samples.js";
import { WardenBench } from "./warden.js";

export interface StartReport {
  readonly rows: readonly Row[];
  readonly memory: readonly Memory[];
  readonly idle: Idle;
  readonly host: Host;
}

export interface Memory {
  readonly subject: string;
  /** Mean of all its instances. */
  readonly pssKiB: number;
  readonly n: number;
}

/** What the daemon did while nothing happened. */
export interface Idle {
  readonly cells: number;
  readonly seconds: number;
  readonly cpuMs: number;
}

export interface Host {
  readonly kernel: string;
  readonly cpu: string;
  readonly cpus: number;
  readonly memoryGiB: number;
  readonly cgroup2: string;
}

export interface StartOptions {
  readonly runs: number;
  readonly cells: number;
  readonly idleSeconds: number;
  /** What is being done, for whoever waits. */
  readonly tell: (text: string) => void;
  readonly signal: AbortSignal;
}

const SETTLE_MS = 5_000;
const RIVALS = [
  { measure: "start", name: "crun exec" },
  { measure: "start", name: "runc exec" },
  { measure: "life", name: "bwrap" },
  { measure: "life", name: "crun run" },
  { measure: "life", name: "runc run" },
  { measure: "life", name: "podman run" },
  { measure: "spawn", name: "/bin/true" },
];

export async function benchStart(options: StartOptions): Promise<StartReport> {
  const directory = mkdtempSync(join(tmpdir(), "henge-bench-"));
  // The runtimes' containers reach their root through it as another user.
  chmodSync(directory, 0o711);
  const undo: (() => Promise<void> | void)[] = [
    () => {
      rmSync(directory, { recursive: true });
    },
  ];
  try {
    const wardens = await WardenBench.open(makeDirectory(directory, "warden"));
    undo.push(() => wardens.end());
    const { cgroupMount } = wardens;
    const daemon = await DaemonBench.open({ root: makeDirectory(directory, "root"), cgroupMount });
    undo.push(() => daemon.end());
    const rivals = new Rivals(makeDirectory(directory, "rivals"), cgroupMount);
    undo.push(() => rivals.end());
    const rows = await measureTimes({ daemon, wardens, rivals }, options);
    const { memory, idle } = await measureIdle({ daemon, rivals }, options);
    return { rows, memory, idle, host: describeHost(cgroupMount) };
  } finally {
    for (const act of undo.toReversed()) await attempt(act, options.tell);
  }
}

/** What cannot be undone must not keep the rest from being undone. */
async function attempt(act: () => Promise<void> | void, tell: (text: string) => void) {
  try {
    await act();
  } catch (error) {
    tell(`cannot clean up: ${String(error)}`);
  }
}

interface Subjects {
  readonly daemon: DaemonBench;
  readonly wardens: WardenBench;
  readonly rivals: Rivals;
}

async function measureTimes(subjects: Subjects, options: StartOptions): Promise<readonly Row[]> {
  const { daemon, wardens, rivals } = subjects;
  options.tell(`timing ${String(options.runs)} runs of each subject`);
  const warden = await wardens.allocate("start" as CellName);
  try {
    const all: readonly Subject[] = [
      await daemon.startSubject(),
      ...wardens.startSubjects(warden),
      daemon.lifeSubject(),
      wardens.lifeSubject(),
      ...(await ableRivals(rivals, options.tell)),
    ];
    return await measure(all, options.runs, options.signal);
  } finally {
    await wardens.free(warden);
  }
}

/** Not every host lets every runtime run: one that cannot is told and left out. */
async function ableRivals(
  rivals: Rivals,
  tell: (text: string) => void,
): Promise<readonly Subject[]> {
  const able: Subject[] = [];
  for (const { measure, name } of RIVALS) {
    try {
      await rivals.run(name);
      able.push({ measure, name, run: () => rivals.run(name) });
    } catch (error) {
      tell(`${name} is left out: ${String(error)}`);
    }
  }
  return able;
}

async function measureIdle(
  { daemon, rivals }: Omit<Subjects, "wardens">,
  { cells, idleSeconds, tell, signal }: StartOptions,
): Promise<{ memory: readonly Memory[]; idle: Idle }> {
  tell(`allocating ${String(cells)} cells`);
  await daemon.free("start");
  await daemon.apply(manyCells(cells));
  const wardens = await daemon.wardenPids();
  tell(`watching the daemon for ${String(idleSeconds)} s`);
  // What the allocation left to do (garbage, mostly) is not idleness.
  await sleep(SETTLE_MS, undefined, { signal });
  const before = daemon.cpuMs();
  await sleep(idleSeconds * 1000, undefined, { signal });
  const cpuMs = Math.round((daemon.cpuMs() - before) * 100) / 100;
  const idle = { cells: wardens.length, seconds: idleSeconds, cpuMs };
  tell(`starting ${String(cells)} conmons`);
  const conmons = await rivals.startConmons(cells);
  const inits = wardens.flatMap((pid) => childrenOf(pid));
  const memory = [
    memoryOf("henge-warden", wardens),
    memoryOf("init of a cell", inits),
    memoryOf("conmon", conmons),
    memoryOf("henged", [daemon.pid]),
  ];
  return { memory, idle };
}

function memoryOf(subject: string, pids: readonly number[]): Memory {
  return { subject, pssKiB: Math.round(mean(pids.map(pssKiB)) * 10) / 10, n: pids.length };
}

function makeDirectory(parent: string, name: string): string {
  const directory = join(parent, name);
  mkdirSync(directory, { mode: 0o711 });
  return directory;
}

function describeHost(cgroup2: string): Host {
  const model = /^model name\s*: (.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1];
  return {
    kernel: release(),
    cpu: model ?? "unknown",
    cpus: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    cgroup2,
  };
}
