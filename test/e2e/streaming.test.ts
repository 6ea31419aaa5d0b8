// Mastodon's streaming as a supervisor meets it, by a small server that misbehaves in the same ways: every error ends in
// exit 0, its health page is fine without its database, its socket file survives a kill. Each test goes on from the last.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, expect, it } from "vitest";

import { TestDaemon } from "../fixture/daemon.js";
import type { PsUnit } from "../fixture/daemon.js";

const SERVER = fileURLToPath(new URL("../fixture/streaming.js", import.meta.url));
const PROGRAM = `${process.execPath}, /tmp/streaming.mjs`;
const FILES = `files: [{ source: ${SERVER}, path: /tmp/streaming.mjs }]`;
const USER_PAGE = "/api/v1/streaming/user";
// A failure of its own would be a crash loop at once; without an event the next try would be in a minute.
const UNFORGIVING = "{ policy: always, backoff-min: 50ms, backoff-max: 60s, crash-loop-after: 1 }";
const AWAY = "while live/db:postgres is not up";

const tokenProbe = (port: number): string =>
  `{ http: { port: ${String(port)}, path: ${USER_PAGE}, status: [401] }, interval: 100ms }`;
const healthPage = (port: number): string =>
  `{ http: { port: ${String(port)}, path: /api/v1/streaming/health }, interval: 100ms, failures: 1 }`;
const held = (name: string, port: number): string => `
      ${name}:
        argv: [${PROGRAM}, serve]
        env: { PORT: "${String(port)}", DB_PORT: "5432", POOL: held }
        after: ["db:postgres"]
        readiness: ${tokenProbe(port)}
        restart: ${UNFORGIVING}`;

const MANIFEST = `
henge: 1
name: live
root: host
network: own
cells:
  db:
    ${FILES}
    units:
      postgres:
        argv: [${PROGRAM}, database, "5432"]
        readiness: { tcp: 5432, interval: 100ms }
        restart: { policy: always, backoff-min: 1s }
        stop: [INT, 5s]
  streaming:
    ${FILES}
    units:${held("first", 4000)}${held("second", 4001)}
      idle:
        argv: [${PROGRAM}, serve]
        env: { PORT: "4002", DB_PORT: "5432" }
        after: ["db:postgres"]
        readiness: ${tokenProbe(4002)}
        liveness: ${healthPage(4002)}
        health: ${tokenProbe(4002)}
        restart: ${UNFORGIVING}
      socket:
        argv: [${PROGRAM}, serve]
        env: { SOCKET: /run/streaming.sock }
        readiness: { exec: [${PROGRAM}, ask, /run/streaming.sock], interval: 100ms }
        stale-sockets: [/run/streaming.sock]
        restart: { policy: always, backoff-min: 50ms }
      stuck:
        argv: [${PROGRAM}, serve]
        env: { SOCKET: /run/stuck.sock }
        readiness: { exec: [${PROGRAM}, ask, /run/stuck.sock], interval: 100ms }
        restart: { policy: always, backoff-min: 50ms, backoff-max: 60s, crash-loop-after: 3 }
`;

const TAKEN = `
henge: 1
name: taken
root: host
network: own
cells:
  all:
    ${FILES}
    units:
      owner: { argv: [${PROGRAM}, database, "4000"], readiness: { tcp: 4000 } }
      late:
        argv: [${PROGRAM}, serve]
        env: { PORT: "4000" }
        after: [owner]
        readiness: { http: { port: 4000, status: [401] } } # nobody answers that
        restart: { policy: always, backoff-min: 400ms, backoff-max: 60s, crash-loop-after: 4 }
`;

interface Told {
  readonly kind: string;
  readonly at: string;
  readonly unit?: string;
  readonly state?: string;
  readonly reason?: string | null;
  readonly exit?: { readonly code?: number };
}

let daemon: TestDaemon;
let manifest: string;

beforeAll(async () => {
  daemon = await TestDaemon.start("--pool-size", "1");
  manifest = join(daemon.root, "live.yaml");
  await writeFile(manifest, MANIFEST);
  await daemon.must("up", manifest);
});

afterAll(async () => {
  await daemon.remove();
});

function streaming(name: string, isSo: (unit: PsUnit) => boolean): Promise<PsUnit> {
  return daemon.until("live/streaming", name, isSo);
}

async function told(cell: string, unit: string): Promise<readonly Told[]> {
  const lines = (await daemon.must("events", cell, "-o", "json")).trim().split("\n");
  return lines.map((line) => JSON.parse(line) as Told).filter((event) => event.unit === unit);
}

async function reasonOf(unit: string): Promise<string | null | undefined> {
  const text = await daemon.must("get", "live/streaming", "-o", "json");
  const { units } = JSON.parse(text) as {
    units: readonly { readonly name: string; readonly reason: string | null }[];
  };
  return units.find(({ name }) => name === unit)?.reason;
}

function ask(port: number, path: string): Promise<string> {
  const argv = [process.execPath, "/tmp/streaming.mjs", "ask", String(port), path];
  return daemon.henge("exec", "live/streaming", "--", ...argv).then(({ stdout }) => stdout.trim());
}

async function killed(unit: string): Promise<number> {
  const { pid } = await streaming(unit, ({ state }) => state === "running");
  if (pid === null) throw new Error(`${unit} does not run`);
  process.kill(pid, "SIGKILL");
  return pid;
}

it("backs off further with every exit 0 of a server whose port is taken, up to a crash loop", async () => {
  const file = join(daemon.root, "taken.yaml");
  await writeFile(file, TAKEN);
  const up = await daemon.henge("up", file);
  expect([up.exit, up.stderr]).toEqual([
    1,
    expect.stringContaining("cannot bring up taken/all:late: crashloop, exit 0"),
  ]);
  const events = await told("taken", "late");
  const exits = events.filter(({ kind }) => kind === "unit-exit");
  expect(exits.map(({ exit }) => exit?.code)).toEqual([0, 0, 0, 0]);
  const starts = events.filter(({ state }) => state === "starting");
  const pauses = exits
    .slice(0, 3)
    .map(({ at }, n) => Date.parse(starts[n + 1]?.at ?? "") - Date.parse(at));
  for (const [n, leastMs] of [400, 800, 1_600].entries())
    expect(pauses[n]).toBeGreaterThanOrEqual(leastMs);
  await daemon.must("down", "taken");
});

it("starts a server again whose socket file outlived a kill, where its manifest names that file", async () => {
  const before = [await killed("socket"), await killed("stuck")];
  const again = await streaming("socket", ({ ready, pid }) => ready && pid !== before[0]);
  expect(again).toMatchObject({ state: "running", restarts: 1 });
  const stuck = await streaming("stuck", ({ state }) => state === "crashloop");
  expect(stuck.exit?.code).toBe(0);
});

it("shows a server as degraded that cannot use its database, though its health page is fine", async () => {
  const { pid } = await streaming("idle", ({ state }) => state === "running");
  await daemon.must("stop", "live/db");
  const seen = await streaming("idle", ({ state }) => state === "degraded");
  expect(seen).toMatchObject({ ready: false, pid, restarts: 0 });
  expect(await reasonOf("idle")).toBe(`http probe: status 500 of ${USER_PAGE} ${AWAY}`);
  expect([await ask(4002, "/api/v1/streaming/health"), await ask(4002, USER_PAGE)]).toEqual([
    "200",
    "500",
  ]);
  expect(await daemon.must("plan", "--allow-missing-controllers", manifest)).not.toContain("idle");
});

it("waits with servers that died of their database's absence, and takes it for no crash loop", async () => {
  for (const name of ["first", "second"]) {
    await streaming(name, ({ state }) => state === "backoff");
    expect(await reasonOf(name)).toBe(`exit 0 ${AWAY}`);
    const states = (await told("live/streaming", name)).map(({ state }) => state);
    expect(states).not.toContain("crashloop");
  }
});

it("has all of them back within seconds once the database is, one after another", async () => {
  await daemon.must("start", "live/db");
  const back = Date.now();
  for (const name of ["first", "second", "idle"])
    await streaming(name, ({ state, ready }) => state === "running" && ready);
  expect(Date.now() - back).toBeLessThan(10_000);
  expect(await streaming("idle", () => true)).toMatchObject({ restarts: 0 });
  const last = await Promise.all(
    ["first", "second"].map(async (name) => {
      const starts = (await told("live/streaming", name)).filter(
        ({ state }) => state === "starting",
      );
      return Date.parse(starts.at(-1)?.at ?? "");
    }),
  );
  expect(last[0]).not.toBe(last[1]);
});

it("does the same when the database crashes, whichever end is seen first", async () => {
  const { pid } = await daemon.unit("live/db", "postgres");
  if (pid === null) throw new Error("no database");
  process.kill(pid, "SIGKILL");
  await daemon.until("live/db", "postgres", (unit) => unit.pid !== pid && unit.ready);
  for (const name of ["first", "second"])
    await streaming(name, ({ restarts, ready }) => restarts === 2 && ready);
  await streaming("idle", ({ state }) => state === "running");
});

it("shows it as degraded again to a daemon that comes while the database is away", async () => {
  const { pid } = await streaming("idle", ({ state }) => state === "running");
  await daemon.must("stop", "live/db");
  await streaming("idle", ({ state }) => state === "degraded");
  await daemon.kill("SIGKILL");
  await daemon.begin();
  expect(await streaming("idle", ({ state }) => state === "degraded")).toMatchObject({ pid });
  await daemon.must("start", "live/db");
  for (const name of ["first", "second", "idle"]) await streaming(name, ({ ready }) => ready);
  expect((await streaming("idle", () => true)).pid).toBe(pid);
});

it("never sends the signal that opens Node's inspector", async () => {
  await daemon.must("restart", "live/streaming:first");
  expect(await daemon.must("logs", "live")).not.toMatch(/Debugger listening|inspector/);
});
