// Asks the kernel and the pool for facts about this host, all at once. What they mean is judged in findings/.

import { HengeError } from "../errors.js";
import type { CgroupFacts, HostFacts, Probed } from "../kernel/port.js";

import { judgeCertificates } from "./findings/certificates.js";
import { judgeCgroups } from "./findings/cgroups.js";
import { judgeClock } from "./findings/clock.js";
import { judgeFacilities } from "./findings/facilities.js";
import { INGRESS_PORTS, judgePorts } from "./findings/ports.js";
import { DATA_NEED, RUN_NEED, judgeSpace } from "./findings/space.js";
import type { Need } from "./findings/space.js";
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
import { findPool } from "./pool.js";
import type { PoolOptions } from "./pool.js";
import type { Doctor, Finding, PublishedPort } from "./port.js";

export interface DoctorOptions extends PoolOptions {
  readonly facts: HostFacts;
  /** Absent when the subtree could not be opened. */
  readonly cgroups: CgroupFacts | undefined;
  /** Absolute; what must outlive the daemon, the host's boot, and what units say. */
  readonly directories: { readonly state: string; readonly run: string; readonly logs: string };
  /** Absolute directory in which certbot keeps one directory for each certificate. */
  readonly certificates: string;
}

const TOOLS: readonly Tool[] = [
  { name: "ip", package: "iproute2", purpose: "cells with a network of their own" },
  { name: "nft", package: "nftables", purpose: "cells with a network of their own" },
  { name: "nsenter", package: "util-linux", purpose: "cells with a network of their own" },
  { name: "btrfs", package: "btrfs-progs", purpose: "embedded pool" },
  { name: "tar", package: "tar", purpose: "import of images" },
];

export function createDoctor(options: DoctorOptions): Doctor {
  return {
    findings: async (published) => {
      const [pool, host, rest] = await Promise.all([
        findPool(options),
        findHost(options),
        findRest(options, published),
      ]);
      return [...host, ...pool, ...rest];
    },
  };
}

async function findHost({ facts, cgroups }: DoctorOptions): Promise<readonly Finding[]> {
  const tried = await tryFacilities(facts);
  const { release, holdsResources, ipForward, entropyAvailable, nodesOnline } =
    await facts.system();
  return [
    judgeKernel(release),
    ...("findings" in tried ? tried.findings : judgeFacilities(tried.probed)),
    ...judgeCgroups(cgroups, await facts.cgroupMounts()),
    judgeCapabilities(holdsResources),
    ...(await Promise.all(TOOLS.map((tool) => findTool(facts, tool)))),
    judgeForwarding(ipForward),
    judgeClock(Date.now(), "probed" in tried ? tried.probed.get("clock") : undefined),
    judgeEntropy(entropyAvailable),
    judgeNuma(nodesOnline),
  ];
}

async function findRest(
  { facts, directories: { state, run, logs }, certificates }: DoctorOptions,
  published: readonly PublishedPort[],
): Promise<readonly Finding[]> {
  const ports = new Set([...INGRESS_PORTS, ...published.map(({ hostPort }) => hostPort)]);
  const move = "Make room, or move it with HENGE_ROOT to a larger file system.";
  const memory = "Make room: it is a file system in memory (df -hi).";
  return [
    await findSpace(facts, "state", state, DATA_NEED, move),
    await findSpace(facts, "logs", logs, DATA_NEED, move),
    await findSpace(facts, "run", run, RUN_NEED, memory),
    ...judgeCertificates(certificates, await facts.certificates(certificates), Date.now()),
    ...judgePorts(published, await facts.listeners(ports)),
  ];
}

type Tried =
  { readonly probed: ReadonlyMap<string, Probed> } | { readonly findings: readonly Finding[] };

async function tryFacilities(facts: HostFacts): Promise<Tried> {
  try {
    return { probed: await facts.facilities() };
  } catch (error) {
    if (!(error instanceof HengeError)) throw error;
    const hint = "Install Henge anew: every cell is made by that program.";
    return { findings: [unfit("facilities", error.message, hint)] };
  }
}

async function findTool(facts: HostFacts, tool: Tool): Promise<Finding> {
  return judgeTool(tool, await facts.pathOfTool(tool.name));
}

/** @param hint what to do when it is short */
async function findSpace(
  facts: HostFacts,
  check: string,
  directory: string,
  need: Need,
  hint: string,
): Promise<Finding> {
  try {
    return judgeSpace(check, directory, await facts.room(directory), need, hint);
  } catch (error) {
    if (!(error instanceof HengeError)) throw error;
    return unfit(check, error.message, "Make the directory, or give another with HENGE_ROOT.");
  }
}
