// What only a real freezer shows: that nothing runs while it is held, and that it never stays so.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterEach, beforeEach, expect, it } from "vitest";

import { removeCgroup } from "../../src/kernel/cgroup-file.js";
import { holdStillWith } from "../../src/kernel/hold-still.js";
import { findCgroup2, parseMountInfo } from "../../src/kernel/mountinfo.js";
import { packageDirectory } from "../../src/package.js";
import { skipUnless } from "../fixture/require.js";

const HELPER = join(packageDirectory, "dist", "henge-helper");
const MOUNT = findCgroup2(parseMountInfo(readFileSync("/proc/self/mountinfo", "utf8")))?.mountPoint;

let own: string;
let counter: ChildProcess;
beforeEach(async (context) => {
  const fit = MOUNT !== undefined && process.getuid?.() === 0;
  skipUnless(fit, "cgroup2", context.skip, "needs root and a cgroup2 mount");
  own = join(MOUNT ?? "/sys/fs/cgroup", `henge-test-${String(process.pid)}-hold`);
  mkdirSync(own);
  counter = spawn("/bin/sh", ["-c", "while :; do echo; done"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  await once(counter, "spawn");
  writeFileSync(join(own, "cgroup.procs"), String(counter.pid));
  counter.stdout?.resume();
});
afterEach(async () => {
  counter.kill("SIGKILL");
  await removeCgroup(own, performance.now() + 5_000);
});

const isFrozen = () => readFileSync(join(own, "cgroup.events"), "utf8").includes("frozen 1");

it("holds until it is released, and says that nothing ran", async () => {
  const hold = await holdStillWith(HELPER)(own);
  expect(isFrozen()).toBe(true);
  expect(await hold.release()).toBe(true);
  expect(isFrozen()).toBe(false);
});

it("lets go when the daemon that holds is gone", async () => {
  const script = `
    const { spawn } = require("node:child_process");
    const child = spawn(process.argv[1], ["--hold", process.argv[2], "60000"], { stdio: ["pipe", "inherit", "inherit"] });
    setInterval(() => child, 1000);`;
  const daemon = spawn(process.execPath, ["-e", script, HELPER, own], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  await once(daemon.stdout, "data");
  expect(isFrozen()).toBe(true);
  daemon.kill("SIGKILL");
  await expect.poll(isFrozen, { timeout: 5_000 }).toBe(false);
});

it("lets go when it was held for as long as is allowed, and says so", async () => {
  const child = spawn(HELPER, ["--hold", own, "300"], { stdio: ["pipe", "pipe", "pipe"] });
  await once(child.stdout, "data");
  expect(isFrozen()).toBe(true);
  const [code] = (await once(child, "exit")) as [number];
  expect(code).toBe(1);
  expect(isFrozen()).toBe(false);
});

it("leaves frozen what was frozen already", async () => {
  writeFileSync(join(own, "cgroup.freeze"), "1");
  await expect.poll(isFrozen, { timeout: 5_000 }).toBe(true);
  const hold = await holdStillWith(HELPER)(own);
  expect(await hold.release()).toBe(true);
  expect(isFrozen()).toBe(true);
});
