// Everything a daemon's root has made on this host, as lines without numbers that differ from one start to the next: what
// two moments are compared by.

import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";

import type { TestDaemon } from "../../fixture/daemon.js";
import { execute } from "../../fixture/daemon.js";

/** Sorted. */
export type Traces = readonly string[];

/** What there is, whether or not the daemon knows it: cgroups and who runs in them, directories, volumes, links, rules. */
export async function readTraces(daemon: TestDaemon): Promise<Traces> {
  const pool = join(daemon.root, "run/pool");
  const parts = await Promise.all([
    cells(daemon),
    cgroups(await daemon.subtree()),
    listed("run", join(daemon.root, "run/cells")),
    listed("volume", join(pool, "volumes"), 2),
    listed("snapshot", join(pool, "snapshots"), 3),
    links(daemon.key),
  ]);
  return parts.flat().sort();
}

async function cells(daemon: TestDaemon): Promise<Traces> {
  // One that is absent and declares nothing only says what was asked and not reached.
  const seen = (await daemon.ps()).filter(
    ({ state, units }) => state !== "absent" || units.length > 0,
  );
  return seen.flatMap(({ cell, state, units }) => [
    `cell ${cell} ${state}`,
    ...units.map(({ name, state: unit }) => `unit ${cell}:${name} ${unit}`),
  ]);
}

/** Each cgroup with the names of its processes, but the daemon's own. */
async function cgroups(subtree: string): Promise<Traces> {
  // A cgroup that goes while they are listed: the next look will do.
  const entries = await readdir(subtree, { recursive: true, withFileTypes: true }).catch(() => []);
  const paths = entries.filter((entry) => entry.isDirectory());
  return Promise.all(
    paths.map(async ({ parentPath, name }) => {
      const path = join(parentPath, name);
      const procs = await read(join(path, "cgroup.procs"));
      const pids = procs.split("\n").filter((line) => line !== "");
      const names = await Promise.all(pids.map((pid) => read(`/proc/${pid}/comm`)));
      const sorted = names.map((text) => text.trim()).sort();
      return [`cgroup ${path.slice(subtree.length + 1)}:`, ...sorted].join(" ");
    }),
  );
}

/** What is that deep in a directory; of snapshots, those somebody named. */
async function listed(what: string, directory: string, depth = 1): Promise<Traces> {
  const names = await readdir(directory).catch(() => []);
  const wanted = names.filter((name) => !/-\d{8}/.test(name));
  if (depth === 1) return wanted.map((name) => `${what} ${name}`);
  const below = wanted.map((name) => listed(`${what} ${name}`, join(directory, name), depth - 1));
  return (await Promise.all(below)).flat();
}

/** The ends of its networks on the host, and whether it has rules. */
async function links(key: string): Promise<Traces> {
  const [shown, tables] = await Promise.all([
    execute("/usr/sbin/ip", "-oneline", "link", "show", "type", "veth"),
    execute("/usr/sbin/nft", "list", "tables"),
  ]);
  const ends = shown.split(`hg${key}-`).length - 1;
  return [
    ...Array.from({ length: ends }, () => "link"),
    ...(tables.includes(`henge_${key}`) ? ["table"] : []),
  ];
}

async function read(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}

/** What is only in the one, with `-`, and only in the other, with `+`. */
export function differences(before: Traces, after: Traces): Traces {
  const [were, are] = [new Set(before), new Set(after)];
  return [
    ...before.filter((line) => !are.has(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !were.has(line)).map((line) => `+ ${line}`),
  ];
}
