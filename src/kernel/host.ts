// Reads facts about the host for the daemon and `henge doctor`. What they mean is judged in findings/.

import { access, constants, readFile } from "node:fs/promises";
import { release, totalmem } from "node:os";
import { join } from "node:path";

import { HengeError, KernelError } from "../errors.js";
import { readCapacity } from "./capacity.js";
import { readCertificates } from "./certificates.js";
import { judgeCertificates } from "./findings/certificates.js";
import { judgeCgroups } from "./findings/cgroups.js";
import type { CgroupMounts } from "./findings/cgroups.js";
import { judgeClock } from "./findings/clock.js";
import { judgeFacilities } from "./findings/facilities.js";
import { INGRESS_PORTS, judgePorts } from "./findings/ports.js";
import { DATA_NEED, RUN_NEED } from "./findings/space.js";
import {
  judgeCapabilities,
  judgeEntropy,
  judgeForwarding,
  judgeKernel,
  judgeNuma,
  judgeTool,
} from "./findings/system.js";
import type { Tool } from "./findings/system.js";
import { unfit } from "./findings/verdict.js";
import { readListeners, readListeningPorts } from "./listeners.js";
import { controllersOfV1, findCgroup2, parseMountInfo } from "./mountinfo.js";
import { findPool } from "./pool.js";
import type { PoolOptions } from "./pool.js";
import type { CgroupFacts, Finding, HostPort, PublishedPort } from "./port.js";
import { probeFacilities } from "./probe.js";
import type { Probed } from "./probe.js";
import { findSpace } from "./space.js";
import { holderOf } from "./subtree.js";

export interface HostOptions extends PoolOptions {
  /** Absent when the subtree could not be opened. */
  readonly cgroups: CgroupFacts | undefined;
  /** Absolute; what must outlive the daemon, the host's boot, and what units say. */
  readonly directories: { readonly state: string; readonly run: string; readonly logs: string };
  /** Absolute directory in which certbot keeps one directory for each certificate. */
  readonly certificates: string;
  /** Set when wardens are started by the process that holds the delegated cgroup: theirs are its rights then. */
  readonly nursery?: string | undefined;
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
  let underWay: Promise<Tried> | undefined;
  const tryOnce = (): Promise<Tried> =>
    (underWay ??= tryFacilities(options).finally(() => (underWay = undefined)));
  return {
    bootId: async () => {
      const path = "/proc/sys/kernel/random/boot_id";
      const text = await readIfAny(path);
      if (text === undefined) throw new KernelError("read", "ENOENT", { path });
      return text.trim();
    },
    listeningPorts: readListeningPorts,
    capacity: async () => {
      const parent = await findParent(options);
      return readCapacity({
        memoryBytes: totalmem(),
        nrOpen: await readIfAny("/proc/sys/fs/nr_open"),
        status: await readIfAny(`${parent ?? ""}/status`),
        limits: await readIfAny(`${parent ?? ""}/limits`),
      });
    },
    findings: async (published) => {
      const [pool, host, rest] = await Promise.all([
        findPool(options),
        tryOnce().then((tried) => findHost(options, tried)),
        findRest(options, published),
      ]);
      return [...host, ...pool, ...rest];
    },
  };
}

async function findHost(options: HostOptions, tried: Tried): Promise<readonly Finding[]> {
  return [
    judgeKernel(release()),
    ...("findings" in tried ? tried.findings : judgeFacilities(tried.probed)),
    ...judgeCgroups(options.cgroups, await readCgroupMounts()),
    judgeCapabilities((await readIfAny(`${(await findParent(options)) ?? ""}/status`)) ?? ""),
    ...(await Promise.all(TOOLS.map(findTool))).map(judgeTool),
    judgeForwarding(await readIfAny("/proc/sys/net/ipv4/ip_forward")),
    judgeClock(Date.now(), "probed" in tried ? tried.probed.get("clock") : undefined),
    judgeEntropy(await readIfAny("/proc/sys/kernel/random/entropy_avail")),
    judgeNuma(await readIfAny("/sys/devices/system/node/online")),
  ];
}

async function findRest(
  { directories: { state, run, logs }, certificates }: HostOptions,
  published: readonly PublishedPort[],
): Promise<readonly Finding[]> {
  const ports = new Set([...INGRESS_PORTS, ...published.map(({ hostPort }) => hostPort)]);
  const move = "Make room, or move it with HENGE_ROOT to a larger file system.";
  return [
    await findSpace("state", state, DATA_NEED, move),
    await findSpace("logs", logs, DATA_NEED, move),
    await findSpace("run", run, RUN_NEED, "Make room: it is a file system in memory (df -hi)."),
    ...judgeCertificates(certificates, await readCertificates(certificates), Date.now()),
    ...judgePorts(published, await readListeners(ports)),
  ];
}

type Tried =
  { readonly probed: ReadonlyMap<string, Probed> } | { readonly findings: readonly Finding[] };

async function tryFacilities({ runProbe, helper, cgroups }: HostOptions): Promise<Tried> {
  try {
    return { probed: await probeFacilities(runProbe, helper, cgroups?.subtree) };
  } catch (error) {
    if (!(error instanceof HengeError)) throw error;
    const hint = "Install Henge anew: every cell is made by that program.";
    return { findings: [unfit("facilities", error.message, hint)] };
  }
}

async function readCgroupMounts(): Promise<CgroupMounts> {
  const mounts = parseMountInfo((await readIfAny("/proc/self/mountinfo")) ?? "");
  return {
    heldByV1: controllersOfV1(mounts),
    options: findCgroup2(mounts)?.superOptions ?? [],
  };
}

/** In /proc: the process whose rights wardens inherit. */
async function findParent({ nursery, cgroups }: HostOptions): Promise<string | undefined> {
  if (nursery === undefined) return "/proc/self";
  const holders = cgroups && (await readIfAny(join(holderOf(cgroups), "cgroup.procs")));
  return holders && `/proc/${holders.split("\n")[0] ?? ""}`;
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

/** Undefined when the kernel has no such file, or may not show it. */
async function readIfAny(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return undefined;
  }
}
