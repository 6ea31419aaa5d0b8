// Several monoliths that change at once under one daemon: each comes up, is killed with it, and goes as if it were alone.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import { TestDaemon } from "../fixture/daemon.js";

const NAMES = ["one", "two", "three", "four", "five"];
const manifestOf = (name: string): string => `
henge: 1
name: ${name}
root: host
network: own
volumes: { data: { quota: 64MiB }, more: {} }
cells:
  db:
    mounts: [{ volume: data, path: /srv }, { volume: more, path: /mnt }]
    units:
      db: { argv: [/bin/sh, -c, "echo ${name} >>/srv/name; exec sleep infinity"], clean-exits: [TERM] }
`;

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await TestDaemon.start("--pool-size", "1");
  for (const name of NAMES) await writeFile(pathOf(name), manifestOf(name));
});
afterAll(() => daemon.remove());

function pathOf(name: string): string {
  return join(daemon.root, `${name}.yaml`);
}

async function forEach(act: (name: string) => Promise<string>): Promise<readonly string[]> {
  return Promise.all(NAMES.map(act));
}

async function seen(): Promise<readonly string[]> {
  return forEach((name) => daemon.must("exec", `${name}/db`, "--", "/bin/cat", "/srv/name"));
}

it("come up at once, each with its own uids, volumes and network", async () => {
  await forEach((name) => daemon.must("up", pathOf(name)));
  expect(await seen()).toEqual(NAMES.map((name) => `${name}\n`));
  const maps = await forEach(async (name) => {
    const { pid } = await daemon.unit(`${name}/db`, "db");
    return readFile(`/proc/${String(pid)}/uid_map`, "utf8");
  });
  expect(new Set(maps).size).toBe(NAMES.length);
  const addresses = await forEach((name) => daemon.must("exec", name, "--", "/bin/hostname", "-I"));
  expect(new Set(addresses).size).toBe(NAMES.length);
});

it("are all found again, with their volumes, by a daemon that knows only what is on the disk", async () => {
  await daemon.kill("SIGKILL");
  await daemon.begin("--pool-size", "1");
  const plans = await forEach((name) => daemon.must("plan", pathOf(name), "-o", "json"));
  expect(plans.map((text) => (JSON.parse(text) as { steps: unknown }).steps)).toEqual(
    NAMES.map(() => []),
  );
});

it("are snapshot, cloned and go at once, and keep what they had", async () => {
  await forEach((name) => daemon.must("snapshot", name, "--name", "n"));
  await forEach((name) => daemon.must("clone", name, "n", `${name}-copy`));
  await forEach((name) =>
    daemon.must("down", `${name}-copy`, "--destroy-data", "--yes-destroy", `${name}-copy`),
  );
  await forEach((name) => daemon.must("down", name));
  await forEach((name) => daemon.must("up", pathOf(name)));
  expect(await seen()).toEqual(NAMES.map((name) => `${name}\n${name}\n`));
});
