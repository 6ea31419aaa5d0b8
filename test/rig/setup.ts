// Once per run: boots one host of the rig with this checkout in it, and saves it for all tests to clone.

import { execFileSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";

import type { TestProject } from "vitest/node";

const HERE = import.meta.dirname;
// Into the page cache of every clone: what almost every test loads.
const WARM =
  "modprobe -a overlay nf_tables veth; cd /srv/henge && node dist/src/main.js --version && zpool list";

export default function setup(project: TestProject): () => void {
  const image = realpathSync(join(HERE, "../../dist/rig"));
  // A short path: unix sockets lie below it.
  const run = mkdtempSync("/tmp/henge-rig.");
  const tree = join(run, "tree.img");
  const env = { ...process.env, RIG_IMAGE: image, RIG_RUN: run, RIG_TREE: tree };
  const script = (name: string, ...argv: readonly string[]): void => {
    execFileSync(join(HERE, name), argv, { env, stdio: ["ignore", "ignore", "inherit"] });
  };
  const tearDown = (): void => {
    script("host", "down", "all");
    rmSync(run, { recursive: true, force: true });
  };
  try {
    script("tree", tree);
    saveTwiceAtMost(() => script("host", "save", WARM));
  } catch (error) {
    tearDown();
    throw error;
  }
  project.provide("rig", { image, run });
  return tearDown;
}

/** One emulated boot of some 90 hangs. */
function saveTwiceAtMost(save: () => void): void {
  try {
    save();
  } catch {
    save();
  }
}
