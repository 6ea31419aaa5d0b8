// What every CgroupPort promises, over the fake and over the kernel's own cgroups.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { openCgroups } from "../../src/kernel/cgroup.js";
import { findCgroup2, parseMountInfo } from "../../src/kernel/mountinfo.js";
import type { CgroupPort } from "../../src/kernel/port.js";
import type { CellName, Controller, LimitFile } from "../../src/spec/index.js";
import { createFakeCgroups } from "../fake/cgroup.js";
import { skipUnless } from "../fixture/require.js";

const SHOP = "shop" as CellName;
const WEB = "shop/web" as CellName;
const DB = "shop/db" as CellName;
const OTHER = "other" as CellName;

interface Subject {
  readonly port: CgroupPort;
  /** Runs a process in a unit's leaf of the cell. */
  populate(cell: CellName): Promise<void>;
  close(): Promise<void>;
}

function fakeSubject(): Promise<Subject> {
  return fakeWith(["cpu", "cpuset", "memory", "io", "pids"]);
}

function poorFakeSubject(): Promise<Subject> {
  return fakeWith([]);
}

function fakeWith(offered: readonly Controller[]): Promise<Subject> {
  const port = createFakeCgroups({ offered });
  return Promise.resolve({
    port,
    populate: (cell) => {
      port.setPopulated(cell, true);
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  });
}

let subjects = 0;

async function realSubject(): Promise<Subject> {
  subjects += 1;
  const port = await openCgroups({
    subtreeName: `henge-test-${String(process.pid)}-${String(subjects)}`,
  });
  const children: ChildProcess[] = [];
  return {
    port,
    populate: async (cell) => {
      const leaf = join(port.directoryOf(cell), "unit.sleep");
      mkdirSync(leaf, { recursive: true });
      const child = spawn("/bin/sleep", ["300"], { stdio: "ignore" });
      children.push(child);
      await new Promise((resolve) => child.once("spawn", resolve));
      writeFileSync(join(leaf, "cgroup.procs"), String(child.pid));
    },
    close: async () => {
      for (const child of children) child.kill("SIGKILL");
      for (const cell of [...(await port.list())].reverse()) {
        await port.kill(cell, soon());
        await port.remove(cell);
      }
      rmdirSync(join(port.facts.subtree, "henge.wardens"));
      rmdirSync(port.facts.subtree);
    },
  };
}

function soon(): AbortSignal {
  return AbortSignal.timeout(5_000);
}

function hasCgroup2(): boolean {
  const mount = findCgroup2(parseMountInfo(readFileSync("/proc/self/mountinfo", "utf8")));
  return mount !== undefined && process.getuid?.() === 0;
}

const LIMITS: readonly (readonly [LimitFile, Controller, string])[] = [
  ["memory.max", "memory", "67108864"],
  ["memory.low", "memory", "4096"],
  ["memory.swap.max", "memory", "0"],
  ["memory.oom.group", "memory", "1"],
  ["pids.max", "pids", "64"],
  ["cpu.weight", "cpu", "200"],
  ["cpu.max", "cpu", "50000 100000"],
  ["cpuset.cpus", "cpuset", "0"],
];

describe.each([
  ["the fake", fakeSubject],
  ["a fake without controllers", poorFakeSubject],
  ["the kernel", realSubject],
])("a cgroup port over %s", (name, open) => {
  let subject: Subject;
  let port: CgroupPort;
  beforeEach(async (context) => {
    if (open === realSubject)
      skipUnless(hasCgroup2(), "cgroup2", context.skip, "needs root and a cgroup2 mount");
    subject = await open();
    port = subject.port;
  });
  afterEach(async () => {
    await subject.close();
  });

  it("lists the cells that have a cgroup, parents before children", async () => {
    await port.ensureCell(SHOP, {});
    await port.ensureCell(WEB, {});
    await port.ensureCell(OTHER, {});
    await port.ensureCell(DB, {});
    await subject.populate(SHOP);
    expect(await port.list()).toEqual([OTHER, SHOP, DB, WEB]);
  });

  it("puts a nested cell inside its parent and a warden outside its cell", async () => {
    expect(port.directoryOf(WEB)).toBe(join(port.directoryOf(SHOP), "web"));
    const leaf = await port.ensureWardenLeaf(WEB);
    expect(leaf.startsWith(`${port.facts.subtree}/`)).toBe(true);
    expect(leaf.startsWith(port.directoryOf(SHOP))).toBe(false);
    expect(basename(leaf)).toBe("shop.web");
  });

  it("lists a cell whose warden's leaf is all that was made of it, and removes it", async () => {
    await port.ensureWardenLeaf(SHOP);
    expect(await port.list()).toEqual([SHOP]);
    await port.remove(SHOP);
    expect(await port.list()).toEqual([]);
  });

  it("makes the same cell twice and removes it twice", async () => {
    await port.ensureCell(SHOP, {});
    await port.ensureCell(SHOP, {});
    await port.remove(SHOP);
    await port.remove(SHOP);
    expect(await port.list()).toEqual([]);
  });

  it("refuses a nested cell whose parent has no cgroup", async () => {
    await expect(port.ensureCell(WEB, {})).rejects.toMatchObject({
      code: "KERNEL_REFUSED",
      errno: "ENOENT",
    });
    expect(await port.list()).toEqual([]);
  });

  it("refuses to remove a cell that another is nested in", async () => {
    await port.ensureCell(SHOP, {});
    await port.ensureCell(WEB, {});
    await expect(port.remove(SHOP)).rejects.toMatchObject({ code: "WRONG_STATE" });
    expect(await port.list()).toEqual([SHOP, WEB]);
  });

  it("freezes and thaws a cell", async () => {
    await port.ensureCell(SHOP, {});
    await subject.populate(SHOP);
    await port.setFrozen(SHOP, true, soon());
    expect(await port.isFrozen(SHOP)).toBe(true);
    await port.setFrozen(SHOP, false, soon());
    expect(await port.isFrozen(SHOP)).toBe(false);
  });

  it("kills everything in a cell and in the cells nested in it, frozen or not", async () => {
    await port.ensureCell(SHOP, {});
    await port.ensureCell(WEB, {});
    await subject.populate(SHOP);
    await subject.populate(WEB);
    await port.setFrozen(WEB, true, soon());
    expect(await port.isPopulated(SHOP)).toBe(true);
    await port.kill(SHOP, soon());
    expect(await port.isPopulated(SHOP)).toBe(false);
    expect(await port.isPopulated(WEB)).toBe(false);
    await port.remove(WEB);
    await port.remove(SHOP);
    expect(await port.list()).toEqual([]);
  });

  it("leaves its neighbour alone when it kills a cell", async () => {
    await port.ensureCell(SHOP, {});
    await port.ensureCell(OTHER, {});
    await subject.populate(OTHER);
    await port.kill(SHOP, soon());
    expect(await port.isPopulated(OTHER)).toBe(true);
  });

  it("takes a cell without a cgroup for an empty one", async () => {
    await port.kill(SHOP, soon());
    expect(await port.isPopulated(SHOP)).toBe(false);
    expect(await port.isFrozen(SHOP)).toBe(false);
    expect(await port.readLimits(SHOP)).toEqual({});
    await expect(port.setFrozen(SHOP, true, soon())).rejects.toMatchObject({ errno: "ENOENT" });
  });

  it("tells what a cell uses, as far as the host counts it, and nothing of a cell that is not there", async () => {
    expect(await port.stats(SHOP)).toBeUndefined();
    await port.ensureCell(SHOP, {});
    await subject.populate(SHOP);
    const stats = await port.stats(SHOP);
    expect(stats?.cpuUsageUs).toBeGreaterThanOrEqual(0);
    const { offered } = port.facts;
    expect([stats?.memoryBytes, stats?.oomKills].map((value) => value !== undefined)).toEqual(
      [1, 2].map(() => offered.includes("memory")),
    );
    expect(stats?.pids).toBe(offered.includes("pids") ? 1 : undefined);
    expect(stats?.memoryMaxBytes).toBeUndefined();
  });

  it("says nothing of limits that are the kernel's default", async () => {
    await port.ensureCell(SHOP, {});
    expect(await port.readLimits(SHOP)).toEqual({});
  });

  it.for(LIMITS)("writes %s and reads it back", async ([file, controller, text], { skip }) => {
    const offered = port.facts.offered.includes(controller);
    const note = `needs the cgroup2 ${controller} controller`;
    if (open === realSubject) skipUnless(offered, "cgroup2", skip, note);
    else if (!offered) skip(note);
    await port.ensureCell(SHOP, { [file]: text });
    await port.ensureCell(WEB, { [file]: text });
    expect(await port.readLimits(SHOP)).toEqual({ [file]: text });
    expect(await port.readLimits(WEB)).toEqual({ [file]: text });
    await port.ensureCell(SHOP, {});
    expect(await port.readLimits(SHOP)).toEqual({});
  });

  it("refuses a limit whose controller is not offered before it makes anything", async ({
    skip,
  }) => {
    const missing = LIMITS.find(([, controller]) => !port.facts.offered.includes(controller));
    if (missing === undefined) {
      skip(`${name} offers every controller`);
      return;
    }
    const [file, controller, text] = missing;
    const refusal = {
      code: "KERNEL_REFUSED",
      message: expect.stringContaining(controller) as string,
    };
    await expect(port.ensureCell(SHOP, { [file]: text })).rejects.toMatchObject(refusal);
    await expect(port.writeLimit(SHOP, file, text)).rejects.toMatchObject(refusal);
    expect(await port.list()).toEqual([]);
    expect(existsSync(port.directoryOf(SHOP))).toBe(false);
  });
});
