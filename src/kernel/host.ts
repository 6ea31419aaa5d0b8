// Reads facts about the host, anew at every call. What they mean is judged by the doctor.

import { access, constants, readFile } from "node:fs/promises";
import { release, totalmem } from "node:os";
import { join } from "node:path";

import type { Run } from "../command.js";
import { KernelError } from "../errors.js";
import { holdsResources, readCapacity } from "./capacity.js";
import { readCertificates } from "./certificates.js";
import { readListeners, readListeningPorts } from "./listeners.js";
import { controllersOfV1, findCgroup2, parseMountInfo } from "./mountinfo.js";
import { readOpenZfs } from "./openzfs.js";
import type {
  CgroupFacts,
  CgroupMounts,
  HostFacts,
  HostPort,
  Probed,
  SystemFacts,
} from "./port.js";
import { probeFacilities, probeIdMap } from "./probe.js";
import { readRoom } from "./space.js";
import { holderOf } from "./subtree.js";

export interface HostOptions {
  /** Absent when the subtree could not be opened. */
  readonly cgroups: CgroupFacts | undefined;
  /** Set when wardens are started by the process that holds the delegated cgroup: theirs are its rights then. */
  readonly spawnerSocket?: string | undefined;
  /** Absolute path of henge-helper, which tries what Node cannot. */
  readonly helper: string;
  readonly run: Run;
  /** Runs it where wardens run: in the daemon's sandbox it would find the sandbox. */
  readonly runProbe: Run;
}

// Where Debian keeps administrators' tools; the caller's PATH is not trusted.
const TOOL_DIRECTORIES = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

export function createHost(options: HostOptions): HostPort & HostFacts {
  const { cgroups, helper, run, runProbe } = options;
  let underWay: Promise<ReadonlyMap<string, Probed>> | undefined;
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
    system: () => readSystem(options),
    cgroupMounts: readCgroupMounts,
    facilities: () =>
      (underWay ??= probeFacilities(runProbe, helper, cgroups?.subtree).finally(
        () => (underWay = undefined),
      )),
    idMap: (source) => probeIdMap(runProbe, helper, source),
    openZfs: () => readOpenZfs(run),
    certificates: readCertificates,
    listeners: readListeners,
    room: readRoom,
    pathOfTool: findTool,
  };
}

async function readSystem(options: HostOptions): Promise<SystemFacts> {
  const parent = await findParent(options);
  return {
    release: release(),
    holdsResources: holdsResources((await readIfAny(`${parent ?? ""}/status`)) ?? ""),
    ipForward: await readIfAny("/proc/sys/net/ipv4/ip_forward"),
    entropyAvailable: await readIfAny("/proc/sys/kernel/random/entropy_avail"),
    nodesOnline: await readIfAny("/sys/devices/system/node/online"),
  };
}

async function readCgroupMounts(): Promise<CgroupMounts> {
  const mounts = parseMountInfo((await readIfAny("/proc/self/mountinfo")) ?? "");
  return {
    heldByV1: controllersOfV1(mounts),
    options: findCgroup2(mounts)?.superOptions ?? [],
  };
}

/** In /proc: the process whose rights wardens inherit. */
async function findParent({ spawnerSocket, cgroups }: HostOptions): Promise<string | undefined> {
  if (spawnerSocket === undefined) return "/proc/self";
  const holders = cgroups && (await readIfAny(join(holderOf(cgroups), "cgroup.procs")));
  return holders && `/proc/${holders.split("\n")[0] ?? ""}`;
}

async function findTool(name: string): Promise<string | undefined> {
  for (const directory of TOOL_DIRECTORIES) {
    const path = `${directory}/${name}`;
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return undefined;
}

/** Undefined when the kernel has no such file, or may not show it. */
async function readIfAny(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return undefined;
  }
}
