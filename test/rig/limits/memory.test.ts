// memory.high, memory.swap.max and memory.max bite, can be changed while the cell runs, and are nothing a neighbour
// notices; what comes of them is told.

import { describe, expect, it } from "vitest";

import { useCells } from "./cells.js";

const MEBIBYTE = 2 ** 20;

const cells = useCells({
  prepare: "mkswap /dev/vdb >/dev/null; fallocate -l 80M /var/tmp/limits-file",
});

/** Takes that much, then ends. */
const take = (mebibytes: number): string =>
  `head -c ${String(mebibytes)}M /dev/zero | tail -c ${String(mebibytes)}M | head -c 1 >/dev/null`;

/** The guest's clock in ms when the kernel had counted a kill in the loud cell. */
async function killedAtMs(): Promise<number> {
  const sampler = `exec 3<> <(:); while :; do
    now=\${EPOCHREALTIME/./}; while read -r key count; do
      if [ "$key" = oom_kill ] && (( count > $1 )); then echo "$now"; exit; fi
    done <memory.events; read -rt 0.05 -u 3 || :; done`;
  const before = (await cells.counts("memory.events"))["oom_kill"] ?? 0;
  const text = await cells.inLoud(`timeout 100 bash -c '${sampler}' sample ${String(before)}`);
  return Number(text) / 1000;
}

/** That a kill was told within two seconds of the guest's clock, as the cell's and its unit's, and the unit is back. */
async function expectKillTold(seq: number, pid: number, killedMs: number): Promise<void> {
  const back = await cells.untilTold(seq, (one) => one["state"] === "running");
  const oom = await cells.untilTold(seq, ({ kind }) => kind === "oom");
  expect(Date.parse(oom.at) - killedMs).toBeLessThan(2_000);
  const told = await cells.eventsAfter(seq);
  expect(told).toContainEqual(
    expect.objectContaining({
      ...{ kind: "unit-exit", unit: "worker", pid },
      exit: expect.objectContaining({ signal: "SIGKILL", outOfMemory: true }) as object,
    }),
  );
  expect(told).toContainEqual(
    expect.objectContaining({ kind: "unit-state", state: "backoff", reason: "out of memory" }),
  );
  expect(back["pid"]).not.toBe(pid);
}

describe("memory.high", () => {
  it("holds the cell near it, and says so, until a new value lets it go on", async () => {
    const pid = await cells.pidOf("loud");
    await cells.limitLoud("memory.high: 24MiB");
    const seq = await cells.lastSeq();
    const hog = cells.run("loud", take(64));
    await cells.expectPressureTold("memory", seq);
    await cells.inLoud(
      `timeout 100 sh -c 'until [ "$(sed -n "s/^high //p" memory.events)" -gt 20 ]; do sleep 0.2; done; sleep 2'`,
    );
    const held = Number(await cells.read("memory.peak"));
    expect(held).toBeGreaterThan(23 * MEBIBYTE);
    expect(held).toBeLessThan(36 * MEBIBYTE);
    await cells.limitLoud("");
    await hog;
    expect(Number(await cells.read("memory.peak"))).toBeGreaterThan(64 * MEBIBYTE);
    expect(await cells.read("memory.high")).toBe("max");
    expect((await cells.counts("memory.events"))["oom_kill"]).toBe(0);
    expect(await cells.pidOf("loud")).toBe(pid);
  });
});

describe("memory.max", () => {
  it("kills the cell as a whole and says so; the cell comes back by itself", async () => {
    const pid = await cells.pidOf("loud");
    await cells.limitLoud("memory.max: 48MiB");
    const seq = await cells.lastSeq();
    const [killedMs, { code }] = await Promise.all([killedAtMs(), cells.run("loud", take(200))]);
    expect(code).toBe(128 + 9);
    expect((await cells.counts("memory.events"))["oom_group_kill"]).toBe(1);
    await expectKillTold(seq, pid, killedMs);
  });

  it("lowered on a running cell, takes what can be had again, and kills the cell as a whole only then", async () => {
    const pid = await cells.pidOf("loud");
    await cells.limitLoud("");
    // Pages of a file are dropped when memory is wanted.
    await cells.run("loud", "head -c 80M /var/tmp/limits-file >/dev/null");
    expect(Number(await cells.read("memory.current"))).toBeGreaterThan(64 * MEBIBYTE);
    await cells.limitLoud("memory.max: 32MiB");
    expect(Number(await cells.read("memory.current"))).toBeLessThanOrEqual(32 * MEBIBYTE);
    expect(await cells.pidOf("loud")).toBe(pid);

    await cells.limitLoud("");
    const held = cells.run("loud", `(head -c 48M /dev/zero; sleep 600) | tail -c 48M`);
    await cells.inLoud(
      "timeout 100 sh -c 'until [ $(cat memory.current) -gt 50000000 ]; do sleep 0.1; done'",
    );
    const seq = await cells.lastSeq();
    const [killedMs] = await Promise.all([killedAtMs(), cells.limitLoud("memory.max: 32MiB")]);
    expect((await held).code).toBe(128 + 9);
    await expectKillTold(seq, pid, killedMs);
    await cells.limitLoud("");
    expect(await cells.read("memory.max")).toBe("max");
    expect(await cells.read("memory.oom.group")).toBe("0");
  });
});

describe("memory.swap.max", () => {
  it("bounds what a cell under memory.high puts to swap", async () => {
    await cells.host.must("swapon /dev/vdb");
    await cells.limitLoud("memory.high: 24MiB, memory.swap.max: 12MiB");
    const hog = cells.run("loud", take(64));
    await cells.inLoud(
      "timeout 100 sh -c 'until [ $(cat memory.swap.current) -gt 11000000 ]; do sleep 0.2; done; sleep 1'",
    );
    expect(Number(await cells.read("memory.swap.peak"))).toBeLessThanOrEqual(12 * MEBIBYTE);
    await cells.limitLoud("");
    expect(await cells.read("memory.swap.max")).toBe("max");
    await hog;
    await cells.host.must("swapoff /dev/vdb");
  });
});
