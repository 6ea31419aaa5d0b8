// cpu.max, pids.max and cpuset.* bite, can be changed while the cell runs, and are nothing a neighbour notices.

import { describe, expect, it } from "vitest";

import { useCells } from "./cells.js";

const cells = useCells();

describe("cpu.max", () => {
  const SPIN = "taskset -c 0 sh -c 'i=0; while [ $((i += 1)) -lt 20000 ]; do :; done'";

  /** Shares of one CPU that both cells used while both spun on it for four seconds of the host. */
  async function spin(): Promise<{ loud: number; quiet: number; throttled: number }> {
    const rows = await cells.underLoad(
      { loud: SPIN, quiet: SPIN },
      `use() { sed -n 's/^usage_usec //p' $1/cpu.stat; }
      sample() { read -r up _ </proc/uptime; echo $up $(use loud) $(use quiet) $(sed -n 's/^nr_throttled //p' loud/cpu.stat); }
      begun() { until [ $(use $1) -gt $(($2 + 200000)) ]; do sleep 0.1; done; }
      loud=$(use loud) quiet=$(use quiet); begun loud $loud; begun quiet $quiet
      sample; sleep 4; sample`,
    );
    const [before = [], after = []] = rows;
    const spent = after.map((value, index) => value - (before[index] ?? 0));
    const [up = 0, loud = 0, quiet = 0, throttled = 0] = spent;
    return { loud: loud / 1e6 / up, quiet: quiet / 1e6 / up, throttled };
  }

  it("caps the cell, and leaves the rest of the CPU to its neighbour; a new value holds at once", async () => {
    const pid = await cells.pidOf("loud");
    await cells.limitLoud("cpu.max: 20%");
    const seq = await cells.lastSeq();
    const [tight] = await Promise.all([spin(), cells.expectPressureTold("cpu", seq)]);
    expect(tight.throttled).toBeGreaterThan(10);
    expect(tight.loud).toBeGreaterThan(0.1);
    expect(tight.loud).toBeLessThan(0.25);
    // Without the limit both would have half.
    expect(tight.quiet).toBeGreaterThan(0.6);
    await cells.limitLoud("cpu.max: 40%");
    const wider = await spin();
    expect(wider.loud).toBeGreaterThan(0.27);
    expect(wider.loud).toBeLessThan(0.46);
    await cells.limitLoud("");
    expect(await cells.read("cpu.max")).toBe("max 100000");
    expect(await cells.pidOf("loud")).toBe(pid);
  });
});

describe("pids.max", () => {
  it("stops a fork bomb, while its neighbour forks on; a new value holds at once", async () => {
    const pid = await cells.pidOf("loud");
    const most = `bomb() { bomb & bomb & sleep 2; }; bomb 2>/dev/null; exit 0`;
    for (const max of [20, 40]) {
      await cells.limitLoud(`pids.max: ${String(max)}`);
      const before = (await cells.counts("pids.events"))["max"] ?? 0;
      const [, forked] = await Promise.all([
        cells.run("loud", most),
        cells.run("quiet", "for i in $(seq 50); do sleep 0.2 & done; wait"),
      ]);
      expect(forked.code).toBe(0);
      expect((await cells.counts("pids.events"))["max"]).toBeGreaterThan(before);
      expect(await cells.read("pids.peak")).toBe(String(max));
    }
    await cells.limitLoud("");
    expect(await cells.read("pids.max")).toBe("max");
    expect(await cells.pidOf("loud")).toBe(pid);
  });
});

describe("cpuset.cpus and cpuset.mems", () => {
  async function placeOf(name: "loud" | "quiet"): Promise<string> {
    return cells.host.must(
      `sed -n 's/^\\(Cpus\\|Mems\\)_allowed_list:\\t/\\1 /p' /proc/${String(await cells.pidOf(name))}/status`,
    );
  }

  /** Pages of their own (not of files) that the loud cell's processes have on each node. */
  async function pagesOf(): Promise<readonly number[]> {
    const text = await cells.inLoud(
      `cat $(sed 's#.*#/proc/&/numa_maps#' */cgroup.procs) | grep 'anon=' | grep -v ' file='`,
    );
    return [0, 1].map((node) =>
      [...text.matchAll(new RegExp(` N${String(node)}=(\\d+)`, "g"))].reduce(
        (sum, [, pages]) => sum + Number(pages),
        0,
      ),
    );
  }

  // Twelve MiB in one process, held until the pipe is closed.
  const HOLD =
    "(head -c 12M /dev/zero; while [ ! -e /var/tmp/limits-stop ]; do sleep 0.2; done) | tail -c 12M >/dev/null";
  const HELD = 3_000;

  it("pin a running cell to a node with the memory it has, and to the other", async () => {
    const pid = await cells.pidOf("loud");
    await cells.host.must("rm -f /var/tmp/limits-stop");
    const held = cells.run("loud", HOLD);
    await expect
      .poll(async () => (await pagesOf()).reduce((a, b) => a + b), { timeout: 60_000 })
      .toBeGreaterThan(HELD);
    for (const [node, limits] of [
      [1, 'cpuset.cpus: "1", cpuset.mems: "1"'],
      [0, "numa: node0"],
    ] as const) {
      await cells.limitLoud(limits);
      const pages = await pagesOf();
      expect(pages[1 - node]).toBe(0);
      expect(pages[node]).toBeGreaterThan(HELD);
      expect(await placeOf("loud")).toBe(`Cpus ${String(node)}\nMems ${String(node)}\n`);
    }
    expect(await placeOf("quiet")).toBe("Cpus 0-1\nMems 0-1\n");
    await cells.limitLoud("");
    expect(await placeOf("loud")).toBe("Cpus 0-1\nMems 0-1\n");
    await cells.host.must("touch /var/tmp/limits-stop");
    expect((await held).code).toBe(0);
    expect(await cells.pidOf("loud")).toBe(pid);
  });

  it("refuse what the host does not have when it is planned", async () => {
    const planned = await cells.host.henge(
      "plan",
      cells.manifest('cpuset.cpus: "1,4", cpuset.mems: 2'),
    );
    expect(planned.code).toBe(71);
    expect(planned.stderr).toContain("cannot place lim/loud on CPU 4: this host has only 0-1; ");
    expect(planned.stderr).toContain("lim/loud on memory node 2: this host has only 0-1");
  });
});
