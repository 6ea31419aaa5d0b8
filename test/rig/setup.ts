// Once per run, whichever of the rig's projects comes first: boots one host of the rig with this checkout in it, and saves
// it for all tests to clone.

import { execFileSync } from "node:child_process";
import type { ExecFileSyncOptions } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";

import type { TestProject } from "vitest/node";

const HERE = import.meta.dirname;
const QUIET: ExecFileSyncOptions = { stdio: ["ignore", "ignore", "inherit"] };
// Into the page cache of every clone: what almost every test loads.
const WARM =
  "modprobe -a overlay nf_tables veth; cd /srv/henge && node dist/src/main.js --version && zpool list";

interface Rig {
  readonly image: string;
  readonly run: string;
}

// Each project loads this file anew; what they share is the process.
const shared = globalThis as { hengeRig?: { readonly rig: Rig; users: number } };

export default function setup(project: TestProject): () => void {
  const made = (shared.hengeRig ??= { rig: saveHost(), users: 0 });
  made.users += 1;
  project.provide("rig", made.rig);
  return () => {
    made.users -= 1;
    if (made.users === 0) tearDown(made.rig);
  };
}

function saveHost(): Rig {
  const image = realpathSync(join(HERE, "../../dist/rig"));
  // A short path: unix sockets lie below it.
  const run = mkdtempSync("/tmp/henge-rig.");
  const tree = join(run, "tree.img");
  const env = { RIG_TREE: tree };
  const rig = { image, run };
  try {
    execFileSync(join(HERE, "tree"), [tree], QUIET);
    saveTwiceAtMost(() => {
      host(rig, ["save", WARM], env);
    });
  } catch (error) {
    tearDown(rig);
    throw error;
  }
  return rig;
}

function tearDown(rig: Rig): void {
  host(rig, ["down", "all"]);
  rmSync(rig.run, { recursive: true, force: true });
}

function host({ image, run }: Rig, argv: readonly string[], env: NodeJS.ProcessEnv = {}): void {
  const all = { ...process.env, ...env, RIG_IMAGE: image, RIG_RUN: run };
  execFileSync(join(HERE, "host"), argv, { ...QUIET, env: all });
}

/** One emulated boot of some 90 hangs. */
function saveTwiceAtMost(save: () => void): void {
  try {
    save();
  } catch {
    save();
  }
}
