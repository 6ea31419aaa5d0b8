// How limits are written, over a plain directory: only a kernel can tell what it makes of them (test/contract).

import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { cgroupsOf } from "../../../src/kernel/cgroup.js";
import type { CgroupPort } from "../../../src/kernel/port.js";
import { directoryOf } from "../../../src/kernel/subtree.js";
import type { CellName } from "../../../src/spec/index.js";

const SHOP = "shop" as CellName;

let subtree: string;
let port: CgroupPort;
beforeEach(() => {
  subtree = mkdtempSync(join(tmpdir(), "henge-cgroup-"));
  mkdirSync(join(subtree, "henge.wardens"));
  mkdirSync(join(subtree, "shop"));
  port = cgroupsOf({ mount: subtree, subtree, offered: ["memory", "pids"] });
});
afterEach(() => {
  rmSync(subtree, { recursive: true });
});

describe("writeLimit", () => {
  it("writes the text and a newline", async () => {
    writeFileSync(join(subtree, "shop/memory.max"), "max\n");
    await port.writeLimit(SHOP, "memory.max", "1073741824");
    expect(readFileSync(join(subtree, "shop/memory.max"), "utf8")).toBe("1073741824\n");
  });

  it("never makes a file that is not there", async () => {
    await expect(port.writeLimit(SHOP, "memory.max", "4096")).rejects.toMatchObject({
      code: "KERNEL_REFUSED",
    });
    expect(readdirSync(join(subtree, "shop"))).toEqual([]);
  });

  it("fails on a control file that is not there instead of making one", async () => {
    const freezing = port.setFrozen(SHOP, true, AbortSignal.timeout(5_000));
    await expect(freezing).rejects.toMatchObject({ errno: "ENOENT" });
    expect(readdirSync(join(subtree, "shop"))).toEqual([]);
  });

  it("lifts a cpuset where processes run to all there is, which then reads as none", async () => {
    const shared = cgroupsOf({ mount: subtree, subtree, offered: ["cpuset"] });
    writeFileSync(join(subtree, "cpuset.cpus.effective"), "0-3\n");
    writeFileSync(join(subtree, "shop/cpuset.cpus"), "0\n");
    writeFileSync(join(subtree, "shop/cgroup.events"), "populated 1\nfrozen 0\n");
    await shared.writeLimit(SHOP, "cpuset.cpus", "");
    expect(readFileSync(join(subtree, "shop/cpuset.cpus"), "utf8")).toBe("0-3\n");
    expect(await shared.readLimits(SHOP)).toEqual({});
  });

  it("has what runs in a cell moved to the memory nodes it is given", async () => {
    const moved: string[] = [];
    const facts = { mount: subtree, subtree, offered: ["cpuset"] as const };
    const placing = cgroupsOf(facts, (directory) => {
      moved.push(`${directory} ${readFileSync(join(directory, "cpuset.mems"), "utf8").trim()}`);
      return Promise.resolve();
    });
    for (const file of ["cpuset.cpus", "cpuset.mems"])
      writeFileSync(join(subtree, "shop", file), "0\n");
    writeFileSync(join(subtree, "shop/cgroup.events"), "populated 0\nfrozen 0\n");
    await placing.writeLimit(SHOP, "cpuset.mems", "1");
    expect(moved).toEqual([]);
    writeFileSync(join(subtree, "shop/cgroup.events"), "populated 1\nfrozen 0\n");
    await placing.writeLimit(SHOP, "cpuset.cpus", "1");
    await placing.writeLimit(SHOP, "cpuset.mems", "0");
    expect(moved).toEqual([`${join(subtree, "shop")} 0`]);
  });

  it("refuses to believe a write that does not read back", async () => {
    // Takes every write and reads back as nothing.
    symlinkSync("/dev/null", join(subtree, "shop/pids.max"));
    await expect(port.writeLimit(SHOP, "pids.max", "100")).rejects.toMatchObject({
      code: "KERNEL_REFUSED",
      message: expect.stringContaining('the kernel made it ""') as string,
    });
  });

  it("names the controller that is missing, and how to go without", async () => {
    await expect(port.ensureCell(SHOP, { "cpu.max": "50000 100000" })).rejects.toMatchObject({
      code: "KERNEL_REFUSED",
      message: expect.stringContaining("the cgroup v2 controllers cpu") as string,
      hint: expect.stringContaining("accept-missing-controllers") as string,
    });
  });
});

describe("ensureCell", () => {
  it("takes back a limit that is no longer asked for", async () => {
    writeFileSync(join(subtree, "shop/memory.max"), "8192\n");
    await port.ensureCell(SHOP, {});
    expect(readFileSync(join(subtree, "shop/memory.max"), "utf8")).toContain("max\n");
  });
});

describe("directoryOf", () => {
  const mount = { root: "/", mountPoint: "/sys/fs/cgroup", fsType: "cgroup2", superOptions: [] };
  it("puts a cgroup's path below the mount", () => {
    expect(directoryOf(mount, "/system.slice/henge.service")).toBe(
      "/sys/fs/cgroup/system.slice/henge.service",
    );
    expect(directoryOf(mount, "/")).toBe("/sys/fs/cgroup");
  });

  it("takes off what a mount of a part of the tree leaves out", () => {
    expect(directoryOf({ ...mount, root: "/machine/a" }, "/machine/a/b")).toBe("/sys/fs/cgroup/b");
    expect(directoryOf({ ...mount, root: "/machine/a" }, "/machine/a")).toBe("/sys/fs/cgroup");
  });

  it("knows when the mount does not show a cgroup", () => {
    expect(directoryOf({ ...mount, root: "/machine/a" }, "/machine/ab")).toBeUndefined();
    expect(directoryOf(mount, "/../other")).toBeUndefined();
  });
});
