// What `henge` asks of the daemon for each verb, and what it prints of the answer.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import type { Call } from "../../src/reconcile/control.js";
import type { CellName, Step, UnitName, VolumeName } from "../../src/spec/index.js";
import { changing, report } from "../fake/control.js";
import { cell, cellStatus, unit, unitStatus } from "../fixture/index.js";
import { Screen, henge, keyboard } from "../fixture/cli.js";
import { startDaemon } from "./harness.js";
import type { TestDaemon } from "./harness.js";

const web = "shop/web" as CellName;
const puma = "puma" as UnitName;
const AT = Date.UTC(2026, 10, 23, 8, 45);

const STEPS: readonly Step[] = [
  { kind: "create-volume", volume: { name: "data" as VolumeName }, reason: "volume data is new" },
  { kind: "start", cell: web, unit: puma, spec: unit("puma"), reason: "unit puma is stopped" },
  { kind: "await", cell: web, unit: puma, reason: "unit puma is starting" },
];

const JSON_STEPS = [
  { kind: "create-volume", cell: null, unit: null, reason: "volume data is new" },
  { kind: "start", cell: "shop/web", unit: "puma", reason: "unit puma is stopped" },
  { kind: "await", cell: "shop/web", unit: "puma", reason: "unit puma is starting" },
];

const CELLS = [
  cellStatus(cell("shop")),
  cellStatus(cell("shop/web", { limits: { "memory.max": "4096" } }), {
    wardenPid: 99,
    units: [
      unitStatus(unit("puma"), {
        pid: 100,
        startedAtMs: AT,
        restarts: 2,
        exit: { signal: "SIGKILL", atMs: AT },
      }),
      unitStatus(unit("migrate", { oneShot: true }), { exit: { code: 0, atMs: AT } }),
      unitStatus(unit("worker"), { state: "crashloop", reason: "ended 5 times" }),
    ],
  }),
];

async function manifest(daemon: TestDaemon, text = "henge: 1\n"): Promise<string> {
  await writeFile(join(daemon.root, "shop.yaml"), text);
  return "shop.yaml";
}

it("lists cells as the array of docs/cli.md", async () => {
  const daemon = await startDaemon({ list: () => Promise.resolve(CELLS) });
  const { exit, stdout } = await henge(daemon.root, ["ps", "-o", "json"]);
  const at = "2026-11-23T08:45:00.000Z";
  const idle = { ready: false, pid: null, startedAt: null, restarts: 0, exit: null };
  expect(exit).toBe(0);
  expect(JSON.parse(stdout)).toEqual([
    { cell: "shop", state: "running", units: [] },
    {
      cell: "shop/web",
      state: "running",
      units: [
        {
          ...{ name: "puma", state: "running", ready: true, pid: 100, startedAt: at, restarts: 2 },
          exit: { signal: "SIGKILL", at },
        },
        { ...idle, name: "migrate", state: "done", exit: { code: 0, at } },
        { ...idle, name: "worker", state: "crashloop" },
      ],
    },
  ]);
});

it("lists cells as a table without lines", async () => {
  const daemon = await startDaemon({ list: () => Promise.resolve(CELLS) });
  const { stdout } = await henge(daemon.root, ["ps"]);
  const lines = stdout.split("\n");
  expect(lines[0]).toMatch(/^CELL +STATE +UNIT +UNIT STATE +READY +PID +UP +RESTARTS +LAST EXIT$/);
  expect(lines[2]).toMatch(/^shop\/web +running +puma +running +yes +100 +.* +2 +SIGKILL$/);
  expect(lines[4]).toMatch(/^shop\/web +running +worker +crashloop +no +- +- +0 +-$/);
});

it("tells all of one cell, as text and as JSON, and no environment", async () => {
  const status = { ...CELLS[1]!, reason: "just so" };
  const asked: string[] = [];
  const daemon = await startDaemon({
    get: (name) => {
      asked.push(name);
      return Promise.resolve({
        ...status,
        units: [unitStatus(unit("puma", { env: { SECRET: "canary" } }), { reason: "waits" })],
      });
    },
  });
  const text = await henge(daemon.root, ["get", "shop/web"]);
  const json = await henge(daemon.root, ["get", "shop/web", "-o", "json"]);
  expect(asked).toEqual(["shop/web", "shop/web"]);
  expect(text.stdout).toContain("memory.max: 4096\n");
  expect(text.stdout).toContain("why puma: waits\n");
  expect(JSON.parse(json.stdout)).toMatchObject({
    cell: "shop/web",
    reason: "just so",
    wardenPid: 99,
    limits: { "memory.max": "4096" },
    boundary: { root: "host", network: "parent", hostname: "web", mounts: [] },
    units: [{ name: "puma", reason: "waits" }],
  });
  expect(text.stdout + json.stdout).not.toContain("canary");
});

it("tells what units of a cell that have failed said last, with what was said", async () => {
  const failed = (name: string, lastLines?: string[]) => ({
    ...unitStatus(unit(name), { state: "failed" }),
    ...(lastLines === undefined ? {} : { lastLines }),
  });
  const units = [failed("puma", ["one", "\u001b[2Jtwo"]), failed("worker", []), failed("migrate")];
  const status = { ...CELLS[1]!, units, notReached: "up by alice did not come to its end" };
  const daemon = await startDaemon({ get: () => Promise.resolve(status) });
  const text = await henge(daemon.root, ["get", "shop/web"]);
  const json = await henge(daemon.root, ["get", "shop/web", "-o", "json"]);
  expect(text.stdout).toContain(
    "\npuma is failed; its last lines:\n  | one\n  | \\x1b[2Jtwo\n" +
      "\nworker is failed; its last lines:\n  | (it said nothing)\n",
  );
  expect(text.stdout).not.toContain("migrate is failed");
  expect(text.stdout.split("did not come to its end")).toHaveLength(2);
  expect((JSON.parse(json.stdout) as { units: unknown[] }).units).toMatchObject([
    { name: "puma", lastLines: ["one", "\u001b[2Jtwo"] },
    { name: "worker", lastLines: [] },
    { name: "migrate", lastLines: null },
  ]);
});

it("applies a manifest from its own directory, shows each step, and ends with the table", async () => {
  const asked: unknown[] = [];
  const daemon = await startDaemon({
    list: () => Promise.resolve(CELLS),
    ...changing({
      up: async ({ source, allowMissingControllers }, call) => {
        asked.push({ ...source, allowMissingControllers });
        report(STEPS, call.report);
      },
    }),
  });
  const file = await manifest(daemon);
  const { exit, stdout } = await henge(daemon.root, ["up", file, "--allow-missing-controllers"]);
  expect(exit).toBe(0);
  expect(asked).toEqual([
    { file, directory: daemon.root, text: "henge: 1\n", allowMissingControllers: true },
  ]);
  expect(stdout.split("\n").slice(0, 5)).toEqual([
    "[1/3] create-volume data (1.2 s)",
    "[2/3] start shop/web:puma (1.2 s)",
    "[3/3] await shop/web:puma (1.2 s)",
    "",
    expect.stringMatching(/^CELL/),
  ]);
  const json = await henge(daemon.root, ["up", file, "-o", "json"]);
  expect(JSON.parse(json.stdout)).toEqual({
    steps: JSON_STEPS,
    operation: expect.any(String) as string,
  });
});

it("changes one line on a terminal while a step is taken", async () => {
  const daemon = await startDaemon({
    ...changing({ up: async (_request, call) => report(STEPS.slice(2), call.report) }),
  });
  const stdout = new Screen();
  stdout.isTTY = true;
  await henge(daemon.root, ["up", await manifest(daemon)], { stdout });
  const erase = "\r\u001b[K";
  expect(stdout.text).toContain(
    `${erase}[0/1] await shop/web:puma … 0s${erase}[1/1] await shop/web:puma (1.2 s)\n`,
  );
});

it("tells the steps before a failure, the one that was not done, and the failure", async () => {
  const daemon = await startDaemon({
    ...changing({
      up: async (_request, call) => {
        report(STEPS.slice(0, 1), call.report);
        call.report({ kind: "begin", index: 1, step: STEPS[1]! });
        throw new Error("boom");
      },
    }),
  });
  const { exit, stdout, stderr } = await henge(daemon.root, ["up", await manifest(daemon)]);
  expect(exit).toBe(70);
  expect(stdout).toBe("[1/1] create-volume data (1.2 s)\nnot done: start shop/web:puma\n");
  expect(stderr).toContain("henge: internal error\n");
});

it.each(["start", "stop", "restart"] as const)("%ss a cell or one unit of it", async (verb) => {
  const asked: unknown[] = [];
  const daemon = await startDaemon({
    ...changing({
      [verb]: async ({ target }: { readonly target: unknown }, call: Call) => {
        asked.push([target, call.id.length]);
        report(STEPS.slice(1, 2), call.report);
      },
    }),
  });
  const one = await henge(daemon.root, [verb, "shop/web:puma", "-o", "json"]);
  const all = await henge(daemon.root, [verb, "shop/web"]);
  expect(asked).toEqual([
    [{ cell: "shop/web", unit: "puma" }, 36],
    [{ cell: "shop/web" }, 36],
  ]);
  expect(JSON.parse(one.stdout)).toEqual({
    steps: JSON_STEPS.slice(1, 2),
    operation: expect.any(String) as string,
  });
  expect(all).toMatchObject({ exit: 0, stdout: "[1/1] start shop/web:puma (1.2 s)\n" });
});

it("freezes and thaws a cell", async () => {
  const asked: string[] = [];
  const daemon = await startDaemon({
    ...changing({
      freeze: async (request) => void asked.push(`freeze ${request.cell}`),
      thaw: async (request) => void asked.push(`thaw ${request.cell}`),
    }),
  });
  const freeze = await henge(daemon.root, ["freeze", "shop/web", "-o", "json"]);
  const thaw = await henge(daemon.root, ["thaw", "shop/web"]);
  expect(asked).toEqual(["freeze shop/web", "thaw shop/web"]);
  expect(JSON.parse(freeze.stdout)).toEqual({ cell: "shop/web", state: "frozen" });
  expect(thaw.stdout).toBe("shop/web goes on\n");
});

it("frees a monolith and keeps its data unless its name was said", async () => {
  const asked: string[] = [];
  const daemon = await startDaemon({
    ...changing({
      down: async (request) => void asked.push(`${request.cell} ${String(request.destroyData)}`),
    }),
  });
  const down = (more: string[], typed?: string) =>
    henge(
      daemon.root,
      ["down", "shop", ...more],
      typed === undefined ? {} : { stdin: keyboard([typed], true).stdin },
    );
  expect((await down([])).exit).toBe(0);
  expect((await down(["--destroy-data", "--yes-destroy", "shop"])).exit).toBe(0);
  expect((await down(["--destroy-data"], "shop\n")).exit).toBe(0);
  expect(asked).toEqual(["shop false", "shop true", "shop true"]);
});

it.each([
  ["nobody can be asked", ["--destroy-data"], undefined],
  ["another name was given", ["--destroy-data", "--yes-destroy", "shed"], undefined],
  ["another name was typed", ["--destroy-data"], "shed\n"],
  ["nothing was typed", ["--destroy-data"], ""],
  ["the name was given and nothing is to be destroyed", ["--yes-destroy", "shop"], undefined],
])("destroys nothing and asks nothing of the daemon when %s", async (_case, more, typed) => {
  const asked: string[] = [];
  const daemon = await startDaemon(
    changing({ down: async (request) => void asked.push(request.cell) }),
  );
  const stdin = typed === undefined ? keyboard(["shop\n"]).stdin : keyboard([typed], true).stdin;
  const { exit } = await henge(daemon.root, ["down", "shop", ...more], { stdin });
  expect(exit).toBe(64);
  expect(asked).toEqual([]);
});

it.each([
  ["ok", 0],
  ["degraded", 1],
  ["unfit", 2],
] as const)("exits from doctor when the worst finding is %s with %i", async (level, exit) => {
  const findings = [
    { check: "kernel", level: "ok", text: "6.12" },
    { check: "memory", level, text: "as found", hint: "do this" },
  ] as const;
  const daemon = await startDaemon({ doctor: () => Promise.resolve(findings) });
  const json = await henge(daemon.root, ["doctor", "-o", "json"]);
  const text = await henge(daemon.root, ["doctor"]);
  expect([json.exit, text.exit]).toEqual([exit, exit]);
  expect(JSON.parse(json.stdout)).toEqual([
    { check: "kernel", level: "ok", text: "6.12", hint: null },
    { check: "memory", level, text: "as found", hint: "do this" },
  ]);
  expect(text.stdout).toContain("\nmemory: do this\n");
});

it("tells both versions", async () => {
  const daemon = await startDaemon();
  const { stdout } = await henge(daemon.root, ["version", "-o", "json"]);
  expect(JSON.parse(stdout)).toEqual({
    client: "0.1.0",
    daemon: { version: "1.2.3", pid: 42, startedAt: "2026-01-02T00:00:00.000Z" },
  });
});
