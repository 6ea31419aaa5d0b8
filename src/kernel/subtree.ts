// Finds or makes the one cgroup subtree that is Henge's own, and learns which controllers it may hand down.
// The only cgroup outside of it that is ever written is the daemon's own, when systemd delegated that.

import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { HengeError, KernelError, errnoOf } from "../errors.js";
import type { Controller } from "../spec/index.js";
import { ensureCgroup, readCgroupFile, writeCgroupFile } from "./cgroup-file.js";
import { findCgroup2, parseMountInfo, parseOwnCgroup } from "./mountinfo.js";
import type { Mount } from "./mountinfo.js";
import type { CgroupFacts } from "./port.js";

/** Leaf below the delegated cgroup that the daemon moves itself to. */
const DAEMON_LEAF = "henge.daemon";
/** Parent of the leaves wardens live in. A label holds no dot, so no cell can be called so. */
export const WARDENS = "henge.wardens";

const CONTROLLERS = [
  "cpu",
  "cpuset",
  "memory",
  "io",
  "pids",
] as const satisfies readonly Controller[];
const MOVE_ROUNDS = 20;

export interface CgroupOptions {
  /** Name of the subtree's directory, one for each daemon root: `henge` or `henge-<hash>`. */
  readonly subtreeName: string;
  /** The daemon runs in a cgroup of its own that systemd delegated to it (Delegate=yes). Default false. */
  readonly delegated?: boolean;
}

/**
 * Makes the subtree; what it finds of an earlier daemon it keeps.
 * @throws {HengeError} KERNEL_REFUSED: no cgroup2 mount · WRONG_STATE: not in a delegated cgroup
 */
export async function openSubtree(options: CgroupOptions): Promise<CgroupFacts> {
  const mount = findCgroup2(parseMountInfo(await readProc("/proc/self/mountinfo")));
  if (mount === undefined) throw noCgroup2();
  const base = options.delegated === true ? await claimOwn(mount) : mount.mountPoint;
  const subtree = join(base, options.subtreeName);
  await ensureCgroup(subtree);
  const offered = await enableOffered(subtree);
  await ensureCgroup(join(subtree, WARDENS));
  return { mount: mount.mountPoint, subtree, offered };
}

/** Hands `controllers` down to the children of a cgroup; those already handed down are not written again. */
export async function enableControllers(
  directory: string,
  controllers: readonly Controller[],
): Promise<void> {
  const enabled = await wordsOf(directory, "cgroup.subtree_control");
  for (const controller of controllers.filter((name) => !enabled.includes(name))) {
    await writeCgroupFile(directory, "cgroup.subtree_control", `+${controller}`);
  }
}

/**
 * Empties a cgroup into its leaf `henge.daemon` and hands down what it may: a cgroup with processes of its own
 * cannot hand controllers down.
 */
export async function claimCgroup(directory: string): Promise<void> {
  await ensureCgroup(join(directory, DAEMON_LEAF));
  // Again, for what was forked meanwhile.
  for (let round = 0; round < MOVE_ROUNDS; round += 1) {
    const pids = await wordsOf(directory, "cgroup.procs");
    if (pids.length === 0) break;
    for (const pid of pids) await moveProcess(pid, join(directory, DAEMON_LEAF));
  }
  await enableOffered(directory);
}

async function claimOwn(mount: Mount): Promise<string> {
  const path = parseOwnCgroup(await readProc("/proc/self/cgroup"));
  const directory = path === undefined ? undefined : directoryOf(mount, path);
  if (directory === undefined || directory === mount.mountPoint) throw notDelegated(path);
  // A daemon that was started in the leaf of the one before it is where it should be.
  const own = basename(directory) === DAEMON_LEAF ? dirname(directory) : directory;
  await claimCgroup(own);
  return own;
}

/** Where a path of /proc/self/cgroup is seen; undefined when the mount does not show it. */
export function directoryOf(mount: Mount, path: string): string | undefined {
  if (path.split("/").includes("..")) return undefined;
  if (mount.root === "/") return join(mount.mountPoint, path).replace(/(.)\/$/, "$1");
  if (path !== mount.root && !path.startsWith(`${mount.root}/`)) return undefined;
  return join(mount.mountPoint, path.slice(mount.root.length)).replace(/(.)\/$/, "$1");
}

/** A controller the kernel refuses to hand down (EBUSY, EINVAL) counts as not offered: one must not cost all. */
async function enableOffered(directory: string): Promise<readonly Controller[]> {
  const available = await wordsOf(directory, "cgroup.controllers");
  for (const controller of CONTROLLERS.filter((name) => available.includes(name))) {
    await enableControllers(directory, [controller]).catch(ignoreRefusal);
  }
  const enabled = await wordsOf(directory, "cgroup.subtree_control");
  return CONTROLLERS.filter((name) => enabled.includes(name));
}

function ignoreRefusal(error: unknown): void {
  if (!(error instanceof KernelError)) throw error;
}

async function moveProcess(pid: string, leaf: string): Promise<void> {
  try {
    await writeCgroupFile(leaf, "cgroup.procs", pid);
  } catch (error) {
    // It has ended meanwhile.
    if (!(error instanceof KernelError && error.errno === "ESRCH")) throw error;
  }
}

async function wordsOf(directory: string, file: string): Promise<readonly string[]> {
  const text = await readCgroupFile(directory, file);
  return text.split(/\s+/).filter((word) => word !== "");
}

async function readProc(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new KernelError("read", errnoOf(error), { path, cause: error });
  }
}

function noCgroup2(): HengeError {
  return new HengeError("KERNEL_REFUSED", "cannot find a cgroup2 mount in /proc/self/mountinfo", {
    hint: "Mount one: mkdir -p /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup",
  });
}

function notDelegated(path: string | undefined): HengeError {
  const own = path ?? "none";
  return new HengeError(
    "WRONG_STATE",
    `cannot use the daemon's own cgroup ${own} as a delegated one`,
    {
      hint: "Start the daemon with systemd-run -p Delegate=yes -p KillMode=process, or not as delegated.",
    },
  );
}
