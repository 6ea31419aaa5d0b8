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

const MANIFEST = fileURLToPath(new URL("../fixture/ledger.yaml", import.meta.url));
const IMAGE = fileURLToPath(new URL("../../dist/redmine.tar", import.meta.url));
const SNAPSHOTS = 100;

interface Bounds {
  readonly name: string;
  /** Was committed before the snapshot began. */
  readonly atLeast: number;
  /** Not one more can have been committed when it had ended. */
  readonly atMost: number;
}

let daemon: TestDaemon;
let client: Client;
let manifest: string;
const taken: Bounds[] = [];

beforeAll(async () => {
  daemon = await TestDaemon.start();
  client = await connect(rootPaths(daemon.root).socket, "it runs");
  manifest = join(daemon.root, "ledger.yaml");
  await writeFile(manifest, (await readFile(MANIFEST, "utf8")).replace("IMAGE", IMAGE));
});
afterAll(async () => {
  client.close();
  await daemon.remove();
});

/** The last number a writer has committed, by its own word. */
async function committed(): Promise<number> {
  const log = await readFile(join(daemon.root, "lib/logs/ledger/writer.log"), "utf8");
  const numbers = [...log.slice(-4_000).matchAll(/ stdout F (\d+)\n/g)];
  return Number(numbers.at(-1)?.[1] ?? 0);
}

/** What the audit of a monolith that has just started found. */
async function audited(cell: string): Promise<number> {
  const log = await daemon.must("logs", `${cell}:audit`, "--tail", "1");
  return Number(/last (\d+)/.exec(log)?.[1] ?? Number.NaN);
}

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}

async function clone(snapshot: string, name: string): Promise<void> {
  const request = { cell: "ledger", snapshot, name, publish: [], requestId: "" };
  await drain(client.stream("Clone", request));
}

it("comes up, and begins to write", async () => {
  await daemon.must("up", manifest);
  await expect.poll(committed, { timeout: 30_000 }).toBeGreaterThan(10);
});

it("takes a hundred snapshots, and nobody who writes is stopped for good", async () => {
  for (let index = 1; index <= SNAPSHOTS; index += 1) {
    const name = `n${String(index).padStart(3, "0")}`;
    const atLeast = await committed();
    const reply = await client.call("Snapshot", { cell: "ledger", name, requestId: "" });
    expect(reply).toMatchObject({ name, consistent: true });
    // One may be committed and not yet printed.
    taken.push({ name, atLeast, atMost: (await committed()) + 1 });
    await expect.poll(committed, { timeout: 30_000 }).toBeGreaterThan(atLeast);
  }
  const units = (await daemon.ps()).find(({ cell }) => cell === "ledger")?.units ?? [];
  expect(units.map(({ name, state }) => `${name} ${state}`)).toContain("pgbench running");
  expect(units.every(({ restarts }) => restarts === 0)).toBe(true);
});

it("finds in each of them, cloned and started, what was committed before it and nothing else", async () => {
  await daemon.must("stop", "ledger");
  for (const { name, atLeast, atMost } of taken) {
    await clone(name, "copy");
    const last = await audited("copy");
    expect(last, name).toBeGreaterThanOrEqual(atLeast);
    expect(last, name).toBeLessThanOrEqual(atMost);
    const request = { cell: "copy", destroyData: true, requestId: "" };
    await drain(client.stream("Free", request));
  }
  expect(taken).toHaveLength(SNAPSHOTS);
});
