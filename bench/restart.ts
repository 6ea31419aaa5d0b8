// What a restart of a web server costs its clients: Henge's hand-over, Puma's own hot restart, and a stop and a start with
// the socket held. A real Puma with the Rack application below, each in turn under the same load.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { findCgroup2, parseMountInfo } from "../src/kernel/mountinfo.js";
import { packageDirectory } from "../src/package.js";
import { DaemonBench } from "./daemon.js";
import { type LoadResult, underLoad } from "./load.js";
import { quantile } from "./samples.js";

export interface RestartReport {
  readonly rows: readonly (RestartCost & { readonly subject: string })[];
  /** The same load while nothing is restarted: what the machine adds by itself. */
  readonly control: RestartCost;
}

export interface RestartCost {
  readonly requests: number;
  readonly failed: number;
  /** Beyond the median of the requests before the restart. */
  readonly maxAddedMs: number;
  readonly p99AddedMs: number;
}

export interface RestartOptions {
  readonly rounds: number;
  readonly perSecond: number;
  readonly tell: (text: string) => void;
  readonly signal: AbortSignal;
}

const SUBJECTS = ["Henge", "Puma's USR1", "stop-then-start"] as const;
type Subject = (typeof SUBJECTS)[number];
const CONTROL_MS = 3_000;
const UNITS: Readonly<Record<Subject, string>> = {
  Henge: "henge",
  "Puma's USR1": "usr1",
  "stop-then-start": "plain",
};
const AROUND_MS = 4_000;
const SETTLE_MS = 1_000;
const USR1_DEADLINE_MS = 30_000;

// Its boot keeps a CPU busy for 1.5 s, as that of a small Rails does; it answers when it was booted.
const CONFIG_RU = `now = -> { Process.clock_gettime(Process::CLOCK_MONOTONIC) }
ends = now.call + 1.5
nil while now.call < ends
BOOTED = ends.to_s
run ->(env) { [200, { "content-type" => "text/plain" }, [BOOTED]] }
`;
const PUMA_RB = `bind "tcp://0.0.0.0:#{ENV.fetch("PORT")}"
environment "production"
workers 2
threads 5, 5
preload_app!
`;

export async function benchRestart(options: RestartOptions): Promise<RestartReport> {
  const directory = mkdtempSync(join(tmpdir(), "henge-bench-"));
  try {
    const root = join(directory, "root");
    mkdirSync(root);
    const cgroups = findCgroup2(parseMountInfo(readFileSync("/proc/self/mountinfo", "utf8")));
    if (cgroups === undefined) throw new Error("cannot measure anything: no cgroup2 is mounted");
    const daemon = await DaemonBench.open({ root, cgroupMount: cgroups.mountPoint });
    try {
      const ports = await freePorts(SUBJECTS.length);
      options.tell("importing the image and starting three Pumas");
      await daemon.apply(manifestOf(directory, ports));
      return await measureAll(daemon, ports, options);
    } finally {
      await daemon.end();
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function measureAll(
  daemon: DaemonBench,
  ports: readonly number[],
  { rounds, perSecond, tell, signal }: RestartOptions,
): Promise<RestartReport> {
  const results = new Map<Subject, LoadResult[]>(SUBJECTS.map((subject) => [subject, []]));
  const control: LoadResult[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    for (const [index, subject] of SUBJECTS.entries()) {
      signal.throwIfAborted();
      tell(`round ${String(round)} of ${String(rounds)}: ${subject}`);
      const url = `http://127.0.0.1:${String(ports[index])}/`;
      await sleep(SETTLE_MS, undefined, { signal });
      const load = { url, perSecond, aroundMs: AROUND_MS };
      results.get(subject)?.push(await underLoad(load, () => restart(daemon, subject, url)));
      if (subject === "Henge") control.push(await underLoad(load, () => sleep(CONTROL_MS)));
    }
  }
  const rows = [...results].map(([subject, all]) => ({ subject, ...costOf(all) }));
  return { rows, control: costOf(control) };
}

async function restart(daemon: DaemonBench, subject: Subject, url: string): Promise<void> {
  const unit = UNITS[subject];
  if (subject !== "Puma's USR1") return daemon.restart("restart", unit);
  // What Mastodon's own unit does for a reload. It answers nothing: another boot tells that it is done.
  const bootedBefore = await body(url);
  process.kill(await daemon.pidOf("restart", unit), "SIGUSR1");
  const deadline = performance.now() + USR1_DEADLINE_MS;
  // It may refuse one that comes just when it restarts.
  while ((await body(url).catch(() => bootedBefore)) === bootedBefore) {
    if (performance.now() > deadline) throw new Error("cannot measure USR1: Puma did not restart");
    await sleep(100);
  }
}

async function body(url: string): Promise<string> {
  return (await fetch(url, { headers: { connection: "close" } })).text();
}

function costOf(results: readonly LoadResult[]): RestartCost {
  const added = results.flatMap(({ addedMs }) => addedMs);
  return {
    requests: results.reduce((sum, { requests }) => sum + requests, 0),
    failed: results.reduce((sum, { failures }) => sum + failures.length, 0),
    maxAddedMs: quantile(added, 1),
    p99AddedMs: quantile(added, 0.99),
  };
}

function manifestOf(directory: string, ports: readonly number[]): string {
  writeFileSync(join(directory, "config.ru"), CONFIG_RU);
  writeFileSync(join(directory, "puma.rb"), PUMA_RB);
  const units = SUBJECTS.map((subject, index) => unitOf(subject, 3000 + index));
  const published = ports.map((port, index) => `127.0.0.1:${String(port)}:${String(3000 + index)}`);
  return JSON.stringify({
    henge: 1,
    name: "restart",
    images: { redmine: { archive: join(packageDirectory, "dist/redmine.tar") } },
    root: { image: "redmine" },
    network: "own",
    publish: published,
    tmpfs: ["/tmp"],
    files: ["config.ru", "puma.rb"].map((name) => ({
      source: join(directory, name),
      path: `/tmp/${name}`,
    })),
    units: Object.fromEntries(units),
  });
}

function unitOf(subject: Subject, port: number): readonly [string, object] {
  const held = { listen: { web: `0.0.0.0:${String(port)}` } };
  const unit = {
    argv: ["/usr/bin/puma", "-C", "/tmp/puma.rb", "/tmp/config.ru"],
    user: "www-data",
    cwd: "/tmp",
    env: { HOME: "/tmp", LC_ALL: "C.UTF-8", PORT: String(port) },
    readiness: "notify",
    stop: ["TERM", "35s"],
    "clean-exits": [0, "TERM"],
    ...(subject === "Puma's USR1" ? {} : held),
    ...(subject === "Henge" ? { handover: true } : {}),
  };
  return [UNITS[subject], unit];
}

/** Nobody listens on them now. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer().listen(0, "127.0.0.1", () => {
            resolve(server);
          });
        }),
    ),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("cannot find a free port");
    return address.port;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
