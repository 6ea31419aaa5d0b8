// Every limit bites on a host with every controller, can be changed while the cell runs, and is nothing its neighbour
// notices. Two cells beside each other: `loud` gets the limits and the load, `quiet` has none and must not feel it.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { startHenged } from "./daemon.js";
import { useHost } from "./fixture.js";
import type { Ended } from "./fixture.js";

const CELLS = "/sys/fs/cgroup/henge.slice/henge-cells.scope/henge/lim";
const MEBIBYTE = 2 ** 20;

const host = useHost();
const directory = mkdtempSync(join(tmpdir(), "henge-limits-"));
let quietPid = 0;

beforeAll(async () => {
  await startHenged(host);
  await limitLoud("");
  quietPid = await pidOf("quiet");
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});
afterEach(async () => {
  // What a limit of another cell could have done to it, if it were not one.
  const traces = await host.must(
    `cd ${CELLS}/quiet && grep -H . memory.events pids.events && grep throttled cpu.stat`,
  );
  const marks = [...traces.matchAll(/(oom_kill|high|max|nr_throttled) (\d+)/g)];
  expect(marks.map(([, name = "", count]) => [name, count])).toEqual(
    ["high", "max", "oom_kill", "max", "nr_throttled"].map((name) => [name, "0"]),
  );
  expect(await pidOf("quiet")).toBe(quietPid);
});

/** `up` with these limits on the loud cell: the first time it starts both cells, later it writes limits alone. */
async function limitLoud(limits: string): Promise<void> {
  const file = join(directory, "henge.yaml");
  writeFileSync(
    file,
    `henge: 1
name: lim
root: host
network: host
cells:
  loud:
    limits: { ${limits} }
    units: { worker: { argv: [/bin/sh, -c, "sleep infinity & wait"], restart: { policy: always, backoff-min: 100ms } } }
  quiet:
    units: { beat: { argv: [/bin/sh, -c, "while :; do sleep 0.5; done"] } }
`,
  );
  await host.mustHenge("up", file);
}

async function pidOf(cell: string): Promise<number> {
  const text = await host.mustHenge("get", `lim/${cell}`, "-o", "json");
  return (JSON.parse(text) as { units: { pid: number }[] }).units[0]?.pid ?? 0;
}

/** Runs a shell script inside a cell, within its limits. */
function runIn(cell: string, script: string): Promise<Ended> {
  return host.henge("exec", `lim/${cell}`, "--", "/bin/sh", "-c", script);
}

/** The numbers of a flat keyed file of the loud cell. */
async function countsOf(file: string, cell = "loud"): Promise<Readonly<Record<string, number>>> {
  const text = await host.must(`cat ${CELLS}/${cell}/${file}`);
  const pairs = [...text.matchAll(/^(\S+) (\d+)$/gm)];
  return Object.fromEntries(pairs.map(([, key = "", value]) => [key, Number(value)]));
}

interface Told {
  readonly seq: number;
  readonly at: string;
  readonly kind: string;
  readonly [field: string]: unknown;
}

/** What was told of the loud cell after the event of that number. */
async function eventsAfter(seq: number): Promise<readonly Told[]> {
  const since = ["--since-seq", String(seq)];
  const text = await host.mustHenge("events", "lim/loud", "-o", "json", ...since);
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as Told);
}

async function lastSeq(): Promise<number> {
  return (await eventsAfter(0)).at(-1)?.seq ?? 0;
}

describe("cpu.max", () => {
  /** Shares of one CPU that both cells used while both spun on it for six seconds of the host. */
  async function spin(): Promise<{ loud: number; quiet: number; throttled: number }> {
    const script = `set -eu; cd ${CELLS}
      sample() { read -r up _ </proc/uptime; echo $up $(awk '/^(usage_usec|nr_throttled)/ { print $2 }' loud/cpu.stat quiet/cpu.stat); }
      for cell in loud quiet; do
        mkdir -p $cell/probe
        (echo 0 >$cell/probe/cgroup.procs; exec taskset -c 0 timeout 20 sh -c 'while :; do :; done') >/dev/null 2>&1 &
      done
      sleep 1; sample; sleep 6; sample
      for cell in loud quiet; do
        echo 1 >$cell/probe/cgroup.kill
        until grep -q 'populated 0' $cell/probe/cgroup.events; do sleep 0.1; done
        rmdir $cell/probe
      done`;
    const [before = [], after = []] = (await host.must(script))
      .trim()
      .split("\n")
      .map((line) => line.split(" ").map(Number));
    const [up = 0, loud = 0, throttled = 0, quiet = 0] = after.map(
      (value, index) => value - (before[index] ?? 0),
    );
    return { loud: loud / 1e6 / up, quiet: quiet / 1e6 / up, throttled };
  }

  it("caps the cell, and leaves the rest of the CPU to its neighbour; a new value holds at once", async () => {
    const pid = await pidOf("loud");
    await limitLoud("cpu.max: 20%");
    const tight = await spin();
    expect(tight.throttled).toBeGreaterThan(10);
    expect(tight.loud).toBeGreaterThan(0.1);
    expect(tight.loud).toBeLessThan(0.25);
    // Without the limit both would have half.
    expect(tight.quiet).toBeGreaterThan(0.6);
    await limitLoud("cpu.max: 40%");
    const wider = await spin();
    expect(wider.loud).toBeGreaterThan(0.3);
    expect(wider.loud).toBeLessThan(0.46);
    expect(await pidOf("loud")).toBe(pid);
  });
});

describe("pids.max", () => {
  it("stops a fork bomb, while its neighbour forks on; a new value holds at once", async () => {
    const pid = await pidOf("loud");
    const most = `bomb() { bomb & bomb & sleep 2; }; bomb 2>/dev/null; exit 0`;
    for (const max of [20, 40]) {
      await limitLoud(`pids.max: ${String(max)}`);
      const before = (await countsOf("pids.events"))["max"] ?? 0;
      const [, forked] = await Promise.all([
        runIn("loud", most),
        runIn("quiet", "for i in $(seq 50); do sleep 0.2 & done; wait"),
      ]);
      expect(forked.code).toBe(0);
      expect((await countsOf("pids.events"))["max"]).toBeGreaterThan(before);
      const peak = Number(await host.must(`cat ${CELLS}/loud/pids.peak`));
      expect(peak).toBe(max);
    }
    expect(await pidOf("loud")).toBe(pid);
  });
});

describe("memory.high", () => {
  it("holds the cell near it until a new value lets it go on", async () => {
    const pid = await pidOf("loud");
    await limitLoud("memory.high: 24MiB");
    const seq = await lastSeq();
    const hog = runIn("loud", "head -c 64M /dev/zero | tail -c 64M | head -c 1 >/dev/null");
    await host.must(
      `cd ${CELLS}/loud && timeout 60 sh -c 'until [ "$(sed -n "s/^high //p" memory.events)" -gt 20 ]; do sleep 0.2; done; sleep 3'`,
    );
    const held = Number(await host.must(`cat ${CELLS}/loud/memory.peak`));
    expect(held).toBeGreaterThan(23 * MEBIBYTE);
    expect(held).toBeLessThan(36 * MEBIBYTE);
    const pressed = await eventsAfter(seq);
    expect(pressed).toContainEqual(
      expect.objectContaining({ kind: "pressure", resource: "memory" }),
    );
    await limitLoud("memory.high: 512MiB");
    await hog;
    expect(Number(await host.must(`cat ${CELLS}/loud/memory.peak`))).toBeGreaterThan(64 * MEBIBYTE);
    expect((await countsOf("memory.events"))["oom_kill"]).toBe(0);
    expect(await pidOf("loud")).toBe(pid);
  });
});

describe("io.max", () => {
  /** Bytes a second that each cell wrote past the page cache while both did for six seconds of the host. */
  async function write(device: string): Promise<{ loud: number; quiet: number }> {
    const script = `set -eu; cd ${CELLS}
      sample() { read -r up _ </proc/uptime; echo $up $(for cell in loud quiet; do sed -n 's/^${device} .*wbytes=\\([0-9]*\\).*/\\1/p' $cell/io.stat; done); }
      for cell in loud quiet; do
        mkdir -p $cell/probe
        (echo 0 >$cell/probe/cgroup.procs; exec timeout 60 sh -c "while :; do dd if=/dev/zero of=/var/tmp/$cell bs=256k count=256 oflag=direct conv=notrunc; done") >/dev/null 2>&1 &
      done
      sleep 2; sample; sleep 6; sample
      for cell in loud quiet; do
        echo 1 >$cell/probe/cgroup.kill
        until grep -q 'populated 0' $cell/probe/cgroup.events; do sleep 0.1; done
        rmdir $cell/probe
      done`;
    const [before = [], after = []] = (await host.must(script))
      .trim()
      .split("\n")
      .map((line) => line.split(" ").map(Number));
    const [up = 0, loud = 0, quiet = 0] = after.map((value, index) => value - (before[index] ?? 0));
    return { loud: loud / up, quiet: quiet / up };
  }

  it("slows a writer and not its neighbour; a new value holds at once", async () => {
    const pid = await pidOf("loud");
    const device = (await host.must("findmnt --noheadings --output MAJ:MIN /")).trim();
    await limitLoud(`io.max: [{ device: "${device}", wbps: 1MiB }]`);
    const slow = await write(device);
    expect(slow.loud).toBeGreaterThan(0.5 * MEBIBYTE);
    expect(slow.loud).toBeLessThan(1.4 * MEBIBYTE);
    expect(slow.quiet).toBeGreaterThan(4 * MEBIBYTE);
    await limitLoud(`io.max: [{ device: "${device}", wbps: 2MiB }]`);
    const faster = await write(device);
    expect(faster.loud).toBeGreaterThan(1.5 * MEBIBYTE);
    expect(faster.loud).toBeLessThan(2.6 * MEBIBYTE);
    expect(await pidOf("loud")).toBe(pid);
  });
});

describe("cpuset.cpus and cpuset.mems", () => {
  async function placeOf(pid: number): Promise<string> {
    return host.must(
      `sed -n 's/^\\(Cpus\\|Mems\\)_allowed_list:\\t/\\1 /p' /proc/${String(pid)}/status`,
    );
  }

  it("pin a running cell to a node, and to the other", async () => {
    const pid = await pidOf("loud");
    for (const [node, limits] of [
      ["1", 'cpuset.cpus: "1", cpuset.mems: "1"'],
      ["0", "numa: node0"],
    ] as const) {
      await limitLoud(limits);
      expect(await placeOf(pid)).toBe(`Cpus ${node}\nMems ${node}\n`);
    }
    expect(await placeOf(quietPid)).toBe("Cpus 0-1\nMems 0-1\n");
    await limitLoud("");
    expect(await placeOf(pid)).toBe("Cpus 0-1\nMems 0-1\n");
    await expect(limitLoud("numa: node7")).rejects.toThrow("this host has only node0, node1");
    expect(await pidOf("loud")).toBe(pid);
  });
});

describe("memory.max", () => {
  it("kills the cell as a whole and says so; the cell comes back by itself", async () => {
    const pid = await pidOf("loud");
    await limitLoud("memory.max: 48MiB");
    const seq = await lastSeq();
    const { code } = await runIn("loud", "head -c 200M /dev/zero | tail -c 200M");
    expect(code).toBe(128 + 9);
    const counts = await countsOf("memory.events");
    expect(counts["oom_group_kill"]).toBe(1);
    await expect
      .poll(() => pidOf("loud"), { timeout: 60_000 })
      .toSatisfy((now) => now !== 0 && now !== pid);
    const told = await eventsAfter(seq);
    const [oom, exit] = ["oom", "unit-exit"].map((kind) => told.find((one) => one.kind === kind));
    // At least the worker, whose memory was not what was too much, and the one that took too much.
    expect(oom?.["kills"]).toBeGreaterThanOrEqual(2);
    expect(exit).toMatchObject({ unit: "worker", exit: { signal: "SIGKILL", outOfMemory: true } });
    const apartMs = Date.parse(oom?.at ?? "") - Date.parse(exit?.at ?? "");
    expect(Math.abs(apartMs)).toBeLessThan(2_000);
    expect(told).toContainEqual(
      expect.objectContaining({ kind: "unit-state", state: "backoff", reason: "out of memory" }),
    );
  });
});
