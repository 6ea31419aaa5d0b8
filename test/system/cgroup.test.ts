// What only real cgroups show: delegation, waits that end, and that nothing outside the subtree is written.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { awaitEvent, removeCgroup } from "../../src/kernel/cgroup-file.js";
import { cgroupsOf, openCgroups } from "../../src/kernel/cgroup.js";
import { findCgroup2, parseMountInfo } from "../../src/kernel/mountinfo.js";
import { claimCgroup } from "../../src/kernel/subtree.js";
import type { CellName } from "../../src/spec/index.js";
import { skipUnless } from "../fixture/require.js";

const SHOP = "shop" as CellName;
const MOUNT = findCgroup2(parseMountInfo(readFileSync("/proc/self/mountinfo", "utf8")))?.mountPoint;

let own: string;
let children: ChildProcess[];
beforeEach((context) => {
  const fit = MOUNT !== undefined && process.getuid?.() === 0;
  skipUnless(fit, "cgroup2", context.skip, "needs root and a cgroup2 mount");
  own = join(MOUNT ?? "/sys/fs/cgroup", `henge-test-${String(process.pid)}-own`);
  children = [];
  mkdirSync(own);
});
afterEach(async () => {
  for (const child of children) {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  }
  await removeCgroup(own, performance.now() + 5_000);
});

async function runIn(directory: string): Promise<string> {
  const child = spawn("/bin/sleep", ["300"], { stdio: "ignore" });
  children.push(child);
  await once(child, "spawn");
  writeFileSync(join(directory, "cgroup.procs"), String(child.pid));
  return String(child.pid);
}

function procsOf(directory: string): readonly string[] {
  return readFileSync(join(directory, "cgroup.procs"), "utf8").split("\n").filter(Boolean).sort();
}

describe("claiming a delegated cgroup", () => {
  it("moves every process in it to the holder's leaf, and does it again", async () => {
    const pids = [await runIn(own), await runIn(own)].sort();
    await claimCgroup(own);
    expect(procsOf(own)).toEqual([]);
    expect(procsOf(join(own, "henge.holder"))).toEqual(pids);
    await claimCgroup(own);
    expect(procsOf(join(own, "henge.holder"))).toEqual(pids);
  });

  it.each(["/", "/henge-test-never", "/../etc"])("is refused for %s", async (delegated) => {
    const opening = openCgroups({ subtreeName: "henge-test-never", delegated });
    await expect(opening).rejects.toMatchObject({ code: "WRONG_STATE" });
  });

  it("puts the subtree in it, which a program in a cell can read", async () => {
    const delegated = own.slice(MOUNT?.length);
    const umask = process.umask(0o077); // as the daemon's
    const { facts } = await openCgroups({ subtreeName: "henge", delegated });
    process.umask(umask);
    expect(facts.subtree).toBe(join(own, "henge"));
    expect(statSync(facts.subtree).mode & 0o777).toBe(0o755);
  });
});

describe("a neighbour beside the subtree", () => {
  /** Every setting of a cgroup, what runs in it and whether that runs. */
  function settingsOf(directory: string): readonly string[] {
    const files = readdirSync(directory)
      .filter((file) => file.startsWith("cgroup."))
      .sort();
    const readable = files.filter((file) => (statSync(join(directory, file)).mode & 0o444) !== 0);
    return readable.map((file) => `${file}: ${readFileSync(join(directory, file), "utf8")}`);
  }

  it("sees nothing change, whatever is done to the cells", async () => {
    const neighbour = join(own, "kubepods.slice");
    mkdirSync(join(neighbour, "pod"), { recursive: true });
    writeFileSync(join(neighbour, "cgroup.max.descendants"), "7");
    await runIn(join(neighbour, "pod"));
    const cgroups = await openCgroups({
      subtreeName: "henge",
      delegated: own.slice(MOUNT?.length),
    });
    const look = (): unknown =>
      [own, neighbour, join(neighbour, "pod")].map((directory) =>
        settingsOf(directory).filter(
          (line) => !/^cgroup\.(?:stat|events):/.test(line) || directory !== own,
        ),
      );
    const before = look();
    const deadline = AbortSignal.timeout(10_000);
    await cgroups.ensureCell(SHOP, {});
    await runIn(cgroups.directoryOf(SHOP));
    await cgroups.setFrozen(SHOP, true, deadline);
    expect(look()).toEqual(before);
    await cgroups.kill(SHOP, deadline);
    await cgroups.remove(SHOP);
    expect(look()).toEqual(before);
  });
});

describe("opening the subtree", () => {
  it("leaves every file of the root cgroup as it was, and adds one directory", async () => {
    const root = MOUNT ?? "";
    const name = `henge-test-${String(process.pid)}-open`;
    const before = readFileSync(join(root, "cgroup.subtree_control"), "utf8");
    const cgroups = await openCgroups({ subtreeName: name });
    try {
      expect(cgroups.facts).toMatchObject({ mount: root, subtree: join(root, name) });
      expect(readFileSync(join(root, "cgroup.subtree_control"), "utf8")).toBe(before);
      expect(readdirSync(root).filter((entry) => entry === name)).toEqual([name]);
      // Nothing is offered that the root did not already hand down.
      expect(before.split(/\s+/)).toEqual(expect.arrayContaining([...cgroups.facts.offered]));
    } finally {
      await removeCgroup(join(root, name), performance.now() + 5_000);
    }
  });

  it("keeps the cells of the daemon before", async () => {
    const name = `henge-test-${String(process.pid)}-again`;
    const first = await openCgroups({ subtreeName: name });
    try {
      await first.ensureCell(SHOP, {});
      expect(await (await openCgroups({ subtreeName: name })).list()).toEqual([SHOP]);
    } finally {
      await removeCgroup(first.facts.subtree, performance.now() + 5_000);
    }
  });
});

describe("a wait", () => {
  it("ends with DEADLINE when what it waits for does not come", async () => {
    await runIn(own);
    const waiting = awaitEvent(own, "populated", "0", AbortSignal.timeout(50));
    await expect(waiting).rejects.toMatchObject({ code: "DEADLINE" });
  });

  it("ends as soon as the last process does", async () => {
    await runIn(own);
    const waiting = awaitEvent(own, "populated", "0", AbortSignal.timeout(5_000));
    let killedMs = 0;
    // Once the wait has had its first look.
    setTimeout(() => {
      killedMs = performance.now();
      writeFileSync(join(own, "cgroup.kill"), "1");
    }, 100);
    await waiting;
    // Told by the kernel: sooner than the next regular look.
    expect(performance.now() - killedMs).toBeLessThan(300);
  });

  it("ends when the cgroup is gone", async () => {
    const leaf = join(own, "leaf");
    mkdirSync(leaf);
    const waiting = awaitEvent(leaf, "populated", "1", AbortSignal.timeout(5_000));
    rmdirSync(leaf);
    await waiting;
  });
});

describe("removing", () => {
  it("takes the leaves of units and of the warden along", async () => {
    mkdirSync(join(own, "henge.wardens"));
    const port = cgroupsOf({ mount: MOUNT ?? "", subtree: own, offered: [] });
    await port.ensureCell(SHOP, {});
    for (const leaf of ["henge.init", "unit.web", "unit.web/deep"])
      mkdirSync(join(own, "shop", leaf));
    await port.remove(SHOP);
    expect(existsSync(join(own, "shop"))).toBe(false);
    expect(
      readdirSync(join(own, "henge.wardens"), { withFileTypes: true }).filter((e) =>
        e.isDirectory(),
      ),
    ).toEqual([]);
  });

  it("waits for no warden that is still ending, and takes its leaf along then", async () => {
    mkdirSync(join(own, "henge.wardens"));
    const port = cgroupsOf({ mount: MOUNT ?? "", subtree: own, offered: [] });
    await port.ensureCell(SHOP, {});
    const leaf = await port.ensureWardenLeaf(SHOP);
    const pid = Number(await runIn(leaf));
    await port.remove(SHOP);
    expect(await port.list()).toEqual([]);
    expect(procsOf(leaf)).toEqual([String(pid)]);
    process.kill(pid, "SIGKILL");
    await vi.waitUntil(() => !existsSync(leaf), { timeout: 5_000 });
  });

  it("leaves the leaf to a cell that is allocated again", async () => {
    mkdirSync(join(own, "henge.wardens"));
    const port = cgroupsOf({ mount: MOUNT ?? "", subtree: own, offered: [] });
    await port.ensureCell(SHOP, {});
    const pid = Number(await runIn(await port.ensureWardenLeaf(SHOP)));
    await port.remove(SHOP);
    const leaf = await port.ensureWardenLeaf(SHOP);
    expect(await port.list()).toEqual([SHOP]);
    process.kill(pid, "SIGKILL");
    await awaitEvent(leaf, "populated", "0", AbortSignal.timeout(5_000));
    await port.ensureCell(SHOP, {});
    expect(existsSync(leaf)).toBe(true);
  });

  it("is done for a daemon that ended before the warden did, when the next one opens", async () => {
    const [, path] = own.split(MOUNT ?? "");
    const options = { subtreeName: "henge", delegated: path };
    const first = await openCgroups(options);
    await first.ensureCell(SHOP, {});
    const leaf = await first.ensureWardenLeaf(SHOP);
    rmdirSync(first.directoryOf(SHOP));
    expect(await (await openCgroups(options)).list()).toEqual([]);
    expect(existsSync(leaf)).toBe(false);
  });

  it("gives up with BUSY and names the processes that are still in it", async () => {
    const pid = await runIn(own);
    const removing = removeCgroup(own, performance.now() + 50);
    await expect(removing).rejects.toMatchObject({
      code: "BUSY",
      message: expect.stringContaining(pid) as string,
    });
  });
});
