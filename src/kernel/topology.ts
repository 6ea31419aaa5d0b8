// Where cells can run: the CPUs and memory nodes their subtree may use, and the host's NUMA nodes. Read anew each time.

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { numbersOf } from "../spec/index.js";
import type { NumaNode, Topology } from "../spec/index.js";
import { normaliseLimit } from "./limits.js";

const NODES = "/sys/devices/system/node";

/** @param nodeDirectory as sysfs shows it; a kernel without NUMA has none, and no nodes */
export async function readTopology(
  subtree: string,
  nodeDirectory: string = NODES,
): Promise<Topology> {
  return {
    cpus: await readList(join(subtree, "cpuset.cpus.effective")),
    mems: await readList(join(subtree, "cpuset.mems.effective")),
    nodes: await readNodes(nodeDirectory),
  };
}

/** A node without CPUs (memory on a bus) or without memory can hold no cell alone. */
async function readNodes(directory: string): Promise<readonly NumaNode[]> {
  const withMemory = numbersOf(await readList(join(directory, "has_memory")));
  const both = numbersOf(await readList(join(directory, "has_cpu"))).filter((number) =>
    withMemory.includes(number),
  );
  return Promise.all(
    both.map(async (number) => {
      const cpus = await readList(join(directory, `node${String(number)}`, "cpulist"));
      return { number, cpus };
    }),
  );
}

/** Empty when the kernel has no such file. */
async function readList(path: string): Promise<string> {
  return normaliseLimit("cpuset.cpus", await readFile(path, "utf8").catch(() => ""));
}
