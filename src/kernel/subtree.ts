// Finds or makes the one cgroup subtree that is Henge's own, and learns which controllers it may hand down.
// The only cgroup outside of it that is ever written is the one the service manager has delegated, when it has.

import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

import { HengeError, KernelError, errnoOf } from "../errors.js";
import { CONTROLLERS } from "../spec/index.js";
import type { Controller } from "../spec/index.js";
import { ensureCgroup, readCgroupFile, writeCgroupFile } from "./cgroup-file.js";
import { findCgroup2, parseMountInfo } from "./mountinfo.js";
import type { Mount } from "./mountinfo.js";
import type { CgroupFacts } from "./port.js";

/** Leaf below the delegated cgroup for the process that keeps it in being. */
const HOLDER_LEAF = "henge.holder";
/** Parent of the leaves wardens live in. A label holds no dot, so no cell can be called so. */
export const WARDENS = "henge.wardens";

const MOVE_ROUNDS = 20;

export interface CgroupOptions {
  /** Name of the subtree's directory, one for each daemon root: `henge` or `henge-<hash>`. */
  readonly subtreeName: string;
  /**
   * Path, as /proc/PID/cgroup has it, of the cgroup the service manager has delegated for the cells (Delegate=yes):
   * another than the daemon's own, which could hold no new daemon while it hands controllers down to cells.
   */
  readonly delegated?: string | undefined;
}

/**
 * Makes the subtree; what it finds of an earlier daemon it keeps.
 * @throws {HengeError} KERNEL_REFUSED: no cgroup2 mount · WRONG_STATE: no such delegated cgroup
 */
export async function openSubtree(options: CgroupOptions): Promise<CgroupFacts> {
  const mount = findCgroup2(parseMountInfo(await readProc("/proc/self/mountinfo")));
  if (mount === undefined) throw noCgroup2();
  const { delegated } = options;
  const base = delegated === undefined ? mount.mountPoint : await claimDelegated(mount, delegated);
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
 * Empties a cgroup into its leaf `henge.holder` and hands down what it may: a cgroup with processes of its own
 * cannot hand controllers down.
 */
export async function claimCgroup(directory: string): Promise<void> {
  await ensureCgroup(join(directory, HOLDER_LEAF));
  // Again, for what was forked meanwhile.
  for (let round = 0; round < MOVE_ROUNDS; round += 1) {
    const pids = await wordsOf(directory, "cgroup.procs");
    if (pids.length === 0) break;
    for (const pid of pids) await moveProcess(pid, join(directory, HOLDER_LEAF));
  }
  await enableOffered(directory);
}

/** Absolute directory of the leaf of a delegated cgroup in which the process is that holds it. */
export function holderOf({ subtree }: CgroupFacts): string {
  return join(dirname(subtree), HOLDER_LEAF);
}

async function claimDelegated(mount: Mount, path: string): Promise<string> {
  const directory = directoryOf(mount, path);
  if (directory === undefined || directory === mount.mountPoint) throw notDelegated(path);
  await stat(directory).catch((error: unknown) => {
    throw notDelegated(path, error);
  });
  await claimCgroup(directory);
  return directory;
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

function notDelegated(path: string, cause?: unknown): HengeError {
  return new HengeError("WRONG_STATE", `cannot use the cgroup ${path} as a delegated one`, {
    cause,
    hint: "Give the path of a scope of its own: systemd-run --scope -p Delegate=yes sleep infinity",
  });
}
