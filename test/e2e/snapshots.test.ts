// Snapshots of a PostgreSQL that never rests, with its log on another volume than its tables: each is cloned, started,
// and audited from within. The tests of this file go on from one another.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, expect, it } from "vitest";

import { connect } from "../../src/cli/client.js";
import type { Client } from "../../src/cli/client.js";
import { rootPaths } from "../../src/root.js";
import { TestDaemon } from "../fixture/daemon.js";
import { Ledger } from "../fixture/ledger.js";

const IMAGE = fileURLToPath(new URL("../../dist/redmine.tar", import.meta.url));
const SNAPSHOTS = 100;

let daemon: TestDaemon;
let client: Client;
let manifest: string;
const ledger = new Ledger({
  must: (...words) => daemon.must(...words),
  committed,
  snapshot: (name) => client.call("Snapshot", { cell: "ledger", name, requestId: "" }),
  clone: (snapshot, name) =>
    drain(
      client.stream("Clone", {
        cell: "ledger",
        snapshot,
        name,
        publish: [],
        requestId: "",
      }),
    ),
  destroy: (cell) => drain(client.stream("Free", { cell, destroyData: true, requestId: "" })),
  deadlineMs: 30_000,
});

beforeAll(async () => {
  daemon = await TestDaemon.start();
  client = await connect(rootPaths(daemon.root).socket, "it runs");
  manifest = join(daemon.root, "ledger.yaml");
  await writeFile(manifest, await Ledger.manifest(IMAGE));
});
afterAll(async () => {
  client.close();
  await daemon.remove();
});

async function committed(): Promise<number> {
  const log = await readFile(join(daemon.root, "lib/logs/ledger/writer.log"), "utf8");
  const numbers = [...log.slice(-4_000).matchAll(/ stdout F (\d+)\n/g)];
  return Number(numbers.at(-1)?.[1] ?? 0);
}

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}

it("comes up, and begins to write", async () => {
  await daemon.must("up", manifest);
  await ledger.untilMoreThan(10);
});

it("takes a hundred snapshots, and nobody who writes is stopped for good", async () => {
  await ledger.takeSnapshots(SNAPSHOTS);
  const units = (await daemon.ps()).find(({ cell }) => cell === "ledger")?.units ?? [];
  expect(units.map(({ name, state }) => `${name} ${state}`)).toContain("pgbench running");
  expect(units.every(({ restarts }) => restarts === 0)).toBe(true);
});

it("finds in each of them, cloned and started, what was committed before it and nothing else", async () => {
  await daemon.must("stop", "ledger");
  expect(await ledger.auditSnapshots()).toBe(SNAPSHOTS);
});
