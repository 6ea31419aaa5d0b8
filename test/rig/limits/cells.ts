// Two cells beside each other for the tests of limits: `loud` gets the limits and the load, which is always something
// that runs in the cell; `quiet` has no limits and must not notice.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, expect } from "vitest";

import { startHenged } from "../daemon.js";
import { useHost } from "../fixture.js";
import type { Ended, RigHost } from "../fixture.js";

type Name = "loud" | "quiet";

export interface Told {
  readonly seq: number;
  readonly at: string;
  readonly kind: string;
  readonly [field: string]: unknown;
}

export interface Options {
  /** Of henged. */
  readonly daemon?: readonly string[];
  /** Whether each cell has a volume at /srv, and both may write it. */
  readonly volumes?: boolean;
  /** A shell command in the host before henged starts. */
  readonly prepare?: string;
}

/** Of every cell of the host. */
export const CGROUPS = "/sys/fs/cgroup/henge.slice/henge-cells.scope/henge";
const DIRECTORY = `${CGROUPS}/lim`;
/** What loads look for to end; seen in the cells, because their root is the host's. */
const STOP = "/var/tmp/limits-stop";

// Prints the guest's clock in µs when the file's stall time has grown by what the warden has asked the kernel to tell:
// 300 ms of two seconds. The sampler forks nothing: its pause is a pipe nobody writes to.
const CROSSING = `
exec 3<> <(:); from=0 i=0
while :; do
  now=\${EPOCHREALTIME/./}; read -r line <"$1"; sum=\${line##*total=}
  at[i]=$now total[i]=$sum
  while (( now - at[from] > 2000000 )); do (( ++from )); done
  if (( sum - total[from] >= 300000 )); then echo "$now"; exit 0; fi
  (( ++i )); read -rt 0.05 -u 3 || :
done`;

export class Cells {
  readonly host: RigHost;
  private readonly directory = mkdtempSync(join(tmpdir(), "henge-limits-"));
  private readonly options: Options;
  private quietPid = 0;

  constructor(host: RigHost, options: Options) {
    this.host = host;
    this.options = options;
  }

  async raise(): Promise<void> {
    const { prepare, daemon = [] } = this.options;
    if (prepare !== undefined) await this.host.must(prepare);
    await startHenged(this.host, ...daemon);
    await this.limitLoud("");
    this.quietPid = await this.pidOf("quiet");
  }

  forget(): void {
    rmSync(this.directory, { recursive: true });
  }

  /** The manifest in which the loud cell has these limits, as a file of this machine. */
  manifest(limits: string): string {
    const file = join(this.directory, "henge.yaml");
    const volumes = this.options.volumes === true ? "volumes: { loud: {}, quiet: {} }\n" : "";
    writeFileSync(
      file,
      `henge: 1
name: lim
root: host
network: host
${volumes}cells:
  loud:
    limits: { ${limits} }
    ${this.mount("loud")}
    units: { worker: { argv: [/bin/sh, -c, "sleep infinity & wait"], restart: { policy: always, backoff-min: 100ms } } }
  quiet:
    ${this.mount("quiet")}
    units: { beat: { argv: [/bin/sh, -c, "while :; do sleep 0.5; done"] } }
`,
    );
    return file;
  }

  private mount(name: Name): string {
    return `mounts: [${this.options.volumes === true ? `{ volume: ${name}, path: /srv }` : ""}]`;
  }

  /** `up`: the first time it starts both cells, later it writes limits alone. Returns what it said. */
  async limitLoud(limits: string): Promise<string> {
    return this.host.mustHenge("up", this.manifest(limits));
  }

  /** Of the main process of its unit. */
  async pidOf(name: Name): Promise<number> {
    const unit = name === "loud" ? "worker" : "beat";
    return Number(await this.host.must(`head -n 1 ${DIRECTORY}/${name}/${unit}/cgroup.procs`));
  }

  /** Runs a shell script inside a cell, within its limits. */
  run(name: Name, script: string): Promise<Ended> {
    return this.host.henge("exec", `lim/${name}`, "--", "/bin/sh", "-c", script);
  }

  /**
   * Runs `load` again and again in both cells, meanwhile and until its end `script` in the host, in the directory of the
   * cells' cgroups. Returns what that has printed, a line of numbers as a row.
   */
  async underLoad(
    load: Readonly<Record<Name, string>>,
    script: string,
  ): Promise<readonly (readonly number[])[]> {
    const end = `touch ${STOP}`;
    await this.host.must(`rm -f ${STOP}`);
    const loads = (["loud", "quiet"] as const).map((name) =>
      this.run(name, `while [ ! -e ${STOP} ]; do ${load[name]}; done`),
    );
    const watch = this.host.must(`trap '${end}' EXIT; set -eu; cd ${DIRECTORY}; ${script}`);
    const [text, ...ended] = await Promise.all([watch, ...loads]);
    expect(ended.map(({ code }) => code)).toEqual([0, 0]);
    return text
      .trim()
      .split("\n")
      .map((line) => line.split(" ").map(Number));
  }

  /** The text of a file of a cell's cgroup. */
  async read(file: string, name: Name = "loud"): Promise<string> {
    return (await this.host.must(`cat ${DIRECTORY}/${name}/${file}`)).trim();
  }

  /** The numbers of a flat keyed file. */
  async counts(file: string, name: Name = "loud"): Promise<Readonly<Record<string, number>>> {
    const pairs = [...(await this.read(file, name)).matchAll(/^(\S+) (\d+)$/gm)];
    return Object.fromEntries(pairs.map(([, key = "", value]) => [key, Number(value)]));
  }

  /** Runs a shell script in the host, in the directory of the loud cell's cgroup. */
  inLoud(script: string): Promise<string> {
    return this.host.must(`set -eu; cd ${DIRECTORY}/loud; ${script}`);
  }

  /** What was told of the loud cell after the event of that number. */
  async eventsAfter(seq: number): Promise<readonly Told[]> {
    const since = ["--since-seq", String(seq)];
    const text = await this.host.mustHenge("events", "lim/loud", "-o", "json", ...since);
    const lines = text.split("\n").filter((line) => line !== "");
    return lines.map((line) => JSON.parse(line) as Told);
  }

  async lastSeq(): Promise<number> {
    return (await this.eventsAfter(0)).at(-1)?.seq ?? 0;
  }

  /**
   * Waits until processes of the loud cell have waited for a resource as long as is told of, then for the event, and
   * checks that it bears a time of less than two seconds later. Both are the guest's clock: how slow its machine is does
   * not count.
   */
  async expectPressureTold(resource: "cpu" | "memory" | "io", seq: number): Promise<void> {
    const sampler = `timeout 100 bash -c '${CROSSING}' sample ${resource}.pressure`;
    const crossedMs = Number(await this.inLoud(sampler)) / 1000;
    const told = await this.untilTold(seq, (one) => one["resource"] === resource);
    expect(Date.parse(told.at) - crossedMs).toBeLessThan(2_000);
  }

  async untilTold(seq: number, isIt: (one: Told) => boolean): Promise<Told> {
    let found: Told | undefined;
    await expect
      .poll(async () => (found = (await this.eventsAfter(seq)).find(isIt)), { timeout: 60_000 })
      .toBeDefined();
    if (found === undefined) throw new Error("it was found a moment ago");
    return found;
  }

  /** What a limit of another cell could have done to it, if it were not one. */
  async expectQuietUndisturbed(): Promise<void> {
    const traces = await this.host.must(
      `cd ${DIRECTORY}/quiet && grep -H . memory.events pids.events && grep throttled cpu.stat`,
    );
    const marks = [...traces.matchAll(/(oom_kill|high|max|nr_throttled) (\d+)/g)];
    expect(marks.map(([, name = "", count]) => [name, count])).toEqual(
      ["high", "max", "oom_kill", "max", "nr_throttled"].map((name) => [name, "0"]),
    );
    expect(await this.pidOf("quiet")).toBe(this.quietPid);
  }
}

/** Both cells on a host of their own for the tests of a file; after each test the quiet one must be as before. */
export function useCells(options: Options = {}): Cells {
  const cells = new Cells(useHost(), options);
  beforeAll(() => cells.raise());
  afterEach(() => cells.expectQuietUndisturbed());
  afterAll(() => {
    cells.forget();
  });
  return cells;
}
