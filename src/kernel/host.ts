// Reads facts about the host for the daemon and `henge doctor`. What they mean is judged in findings.ts.

import { access, constants, readFile, statfs } from "node:fs/promises";
import { release } from "node:os";

import { HengeError, KernelError, errnoOf } from "../errors.js";
import {
  judgeCapabilities,
  judgeCgroups,
  judgeClock,
  judgeEntropy,
  judgeForwarding,
  judgeKernel,
  judgeNuma,
  judgePressure,
  judgeSpace,
  judgeTool,
  judgeUserNamespaces,
  ok,
  unfit,
} from "./findings.js";
import type { Tool } from "./findings.js";
import { controllersOfV1, parseMountInfo } from "./mountinfo.js";
import type { CgroupFacts, Finding, HostPort } from "./port.js";

export interface HostOptions {
  /** Absent when the subtree could not be opened. */
  readonly cgroups: CgroupFacts | undefined;
  /** Absolute; the daemon keeps what must outlive it there. */
  readonly stateDirectory: string;
  /** Asks the storage driver. */
  readonly pool: () => Promise<PoolSummary>;
}

/** What doctor shows of the storage pool. */
export interface PoolSummary {
  readonly driver: string;
  readonly path: string;
  readonly freeBytes: number;
}

// Where Debian keeps administrators' tools; the caller's PATH is not trusted.
const TOOL_DIRECTORIES = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];
const TOOLS: readonly Tool[] = [
  { name: "ip", package: "iproute2", purpose: "cells with a network of their own" },
  { name: "nft", package: "nftables", purpose: "cells with a network of their own" },
  { name: "nsenter", package: "util-linux", purpose: "cells with a network of their own" },
  { name: "btrfs", package: "btrfs-progs", purpose: "embedded pool" },
  { name: "tar", package: "tar", purpose: "import of images" },
];

/** Facts about this host, read anew at every call. */
export function createHost(options: HostOptions): HostPort {
  return {
    bootId: async () => {
      const path = "/proc/sys/kernel/random/boot_id";
      const text = await readIfAny(path);
      if (text === undefined) throw new KernelError("read", "ENOENT", { path });
      return text.trim();
    },
    findings: async () => [
      ...judgeKernel(release()),
      ...judgeCgroups(options.cgroups, await readHeldByV1()),
      judgePressure((await readIfAny("/proc/pressure/memory")) !== undefined),
      judgeCapabilities((await readIfAny("/proc/self/status")) ?? ""),
      judgeUserNamespaces(await readIfAny("/proc/sys/user/max_user_namespaces")),
      ...(await Promise.all(TOOLS.map(findTool))).map(judgeTool),
      judgeForwarding(await readIfAny("/proc/sys/net/ipv4/ip_forward")),
      judgeClock(Date.now()),
      judgeEntropy(await readIfAny("/proc/sys/kernel/random/entropy_avail")),
      judgeNuma(await readIfAny("/sys/devices/system/node/online")),
      await findState(options.stateDirectory),
      ...(await findPool(options.pool)),
    ],
  };
}

async function readHeldByV1(): Promise<readonly string[]> {
  return controllersOfV1(parseMountInfo((await readIfAny("/proc/self/mountinfo")) ?? ""));
}

async function findTool(tool: Tool): Promise<Tool> {
  for (const directory of TOOL_DIRECTORIES) {
    const path = `${directory}/${tool.name}`;
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return { ...tool, path };
  }
  return tool;
}

async function findState(directory: string): Promise<Finding> {
  try {
    const facts = await statfs(directory);
    return judgeSpace("state", directory, facts.bavail * facts.bsize);
  } catch (error) {
    const text = `cannot read ${directory}: ${errnoOf(error)}`;
    return unfit("state", text, "Make the directory, or give another with HENGE_ROOT.");
  }
}

async function findPool(pool: HostOptions["pool"]): Promise<readonly Finding[]> {
  try {
    const { driver, path, freeBytes } = await pool();
    return [ok("pool driver", driver), judgeSpace("pool", path, freeBytes)];
  } catch (error) {
    if (!(error instanceof HengeError)) throw error;
    return [
      unfit("pool", error.message, error.hint ?? "Start the daemon anew: it mounts its pool."),
    ];
  }
}

/** Undefined when the kernel has no such file, or may not show it. */
async function readIfAny(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return undefined;
  }
}
