import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import type { Warden, WardenEvent } from "../../src/warden/port.js";
import { deadline, exitOf, unit, until, useWorld } from "./warden/fixture.js";

type PressureEvent = Extract<WardenEvent, { kind: "pressure" }>;

const world = useWorld();

// More runnable processes than CPUs, and every one of them waits for its turn. It ends by itself.
const CROWD = "for i in $(seq 24); do (timeout 30 sh -c 'while :; do :; done') & done; wait";

/** The warden watches for pressure from then on. */
async function isWatched({ wardenPid }: Warden): Promise<void> {
  const directory = `/proc/${String(wardenPid)}/fd`;
  await until("pressure is watched", () =>
    readdirSync(directory).some((fd) => readlinkSync(join(directory, fd)).endsWith("/io.pressure")),
  );
}

/** CAP_SYS_RESOURCE, number 24. Without it the kernel looks only every two seconds (psi_avgs_work). */
function ownsResources(): boolean {
  const text = /^CapEff:\t(\w+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  return ((BigInt(`0x${text}`) >> 24n) & 1n) === 1n;
}

describe("pressure", () => {
  it("is told soon after it begins, once while it lasts, with the kernel's average", async () => {
    const warden = await world().allocate();
    const told: { event: PressureEvent; atMs: number }[] = [];
    warden.onEvent((event) => {
      if (event.kind === "pressure") told.push({ event, atMs: Date.now() });
    });
    await isWatched(warden);
    const begunMs = Date.now();
    await warden.start(unit("crowd", ["/bin/sh", "-c", CROWD]), deadline());
    await until("pressure is told", () => told.length > 0);
    expect((told[0]?.atMs ?? Infinity) - begunMs).toBeLessThan(ownsResources() ? 2_000 : 8_000);
    expect(told[0]?.event).toMatchObject({ resource: "cpu" });
    expect(told[0]?.event.avg10).toBeGreaterThanOrEqual(0);
    // The kernel triggers again with every window of two seconds; nobody is told of that.
    const wholeMs = begunMs + 6_000;
    await until("three windows have passed", () => Date.now() > wholeMs);
    expect(told.filter(({ event }) => event.resource === "cpu")).toHaveLength(1);
    await exitOf(warden, "crowd", () => warden.stop(unit("crowd", []).name, deadline()));
  });

  it("costs an idle warden nothing", async () => {
    const warden = await world().allocate();
    const switches = (): string => {
      const status = readFileSync(`/proc/${String(warden.wardenPid)}/status`, "utf8");
      return /^voluntary_ctxt_switches:\t\d+/m.exec(status)?.[0] ?? "none";
    };
    await isWatched(warden);
    const before = switches();
    const end = Date.now() + 3_000;
    await until("three seconds have passed", () => Date.now() > end);
    expect(switches()).toBe(before);
  });
});
