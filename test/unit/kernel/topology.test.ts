import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { readTopology } from "../../../src/kernel/topology.js";

function directory(files: Readonly<Record<string, string>>): string {
  const made = mkdtempSync(join(tmpdir(), "henge-topology-"));
  onTestFinished(() => {
    rmSync(made, { recursive: true });
  });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(made, path, ".."), { recursive: true });
    writeFileSync(join(made, path), `${text}\n`);
  }
  return made;
}

it("has the nodes that have both CPUs and memory", async () => {
  const subtree = directory({ "cpuset.cpus.effective": "0-7", "cpuset.mems.effective": "0,2" });
  const nodes = directory({
    ...{ has_cpu: "0-2", has_memory: "0,2-3" },
    ...{ "node0/cpulist": "0-3", "node1/cpulist": "4", "node2/cpulist": "5-7" },
  });
  expect(await readTopology(subtree, nodes)).toEqual({
    ...{ cpus: "0-7", mems: "0,2" },
    nodes: [
      { number: 0, cpus: "0-3" },
      { number: 2, cpus: "5-7" },
    ],
  });
});

it("is empty where the kernel tells nothing", async () => {
  const none = directory({});
  expect(await readTopology(none, none)).toEqual({ cpus: "", mems: "", nodes: [] });
});
