// One warden's world on the real kernel: a cgroup of its own, a run and a state directory, removed afterwards.

import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, afterEach, beforeAll } from "vitest";

import type {
  BoundarySpec,
  CellName,
  LogSpec,
  UnitName,
  UnitSpec,
} from "../../../src/spec/index.js";
import { createWardenPort } from "../../../src/warden/client.js";
import type { WardenOptions } from "../../../src/warden/client.js";
import type { AllocateRequest, Warden, WardenEvent, WardenPort } from "../../../src/warden/port.js";
import type { SpawnOptions } from "../../../src/warden/spawn.js";
import { boundary as defaultBoundary, unit as defaultUnit } from "../../fixture/index.js";

const REPOSITORY = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");
export const BINARY = join(REPOSITORY, "dist/henge-warden");
export const HELPER = join(REPOSITORY, "dist/henge-helper");
const DEADLINE_MS = 10_000;

export const deadline = (): AbortSignal => AbortSignal.timeout(DEADLINE_MS);

/** Polls until the condition holds. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + DEADLINE_MS;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`);
    await new Promise((resume) => setTimeout(resume, 5));
  }
}

function cgroupMount(): string {
  for (const line of readFileSync("/proc/self/mountinfo", "utf8").split("\n")) {
    const [left = "", right = ""] = line.split(" - ");
    if (right.startsWith("cgroup2 ")) return left.split(" ")[4] ?? "";
  }
  throw new Error("no cgroup2 mount");
}

export interface World {
  readonly root: string;
  readonly port: WardenPort;
  readonly cell: CellName;
  readonly cgroup: string;
  readonly wardenCgroup: string;
  readonly wardens: Warden[];
  request(change?: Partial<AllocateRequest>, boundary?: Partial<BoundarySpec>): AllocateRequest;
  allocate(change?: Partial<AllocateRequest>, boundary?: Partial<BoundarySpec>): Promise<Warden>;
  readonly options: WardenOptions;
  newPort(spawning?: Partial<SpawnOptions>): WardenPort;
}

let cellNumber = 0;

/** Declares hooks: a new world per test, whose cells are killed afterwards whatever happened. */
export function useWorld(): () => World {
  const base = join(cgroupMount(), `henge-test-${String(process.pid)}`);
  let world: World | undefined;
  beforeAll(() => {
    execFileSync("make", ["--silent", "--directory", join(REPOSITORY, "src")]);
    mkdirSync(base, { recursive: true });
  });
  afterEach(async () => {
    const last = world;
    // Also when it cannot be taken down whole: the next test begins with one of its own.
    world = undefined;
    if (last !== undefined) await demolish(last);
  });
  afterAll(() => {
    rmdirSync(base);
  });
  return () => (world ??= build(base));
}

function build(base: string): World {
  const root = mkdtempSync("/tmp/henge-w-");
  const number = String(++cellNumber);
  const cell = `cell${number}` as CellName;
  const [cgroup, wardenCgroup] = [join(base, cell), join(base, `warden-${number}`)];
  mkdirSync(cgroup);
  mkdirSync(wardenCgroup);
  const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  const options = {
    binary: BINARY,
    runDirectory: join(root, "run"),
    stateDirectory: join(root, "state"),
    bootId,
  };
  const newPort = (spawning?: Partial<SpawnOptions>) =>
    createWardenPort({ ...options, ...spawning });
  const world: World = {
    ...{ root, cell, cgroup, wardenCgroup, options, newPort, port: newPort(), wardens: [] },
    request: (change, boundary) => ({
      cell,
      boundary: defaultBoundary(cell, { network: "own", hostname: "cell", ...boundary }),
      uidBase: 1_000_000 + 65_536 * cellNumber,
      cgroup,
      wardenCgroup,
      controllers: [],
      root: "host",
      mountSources: [],
      hidden: [],
      ...change,
    }),
    allocate: async (change, boundary) => {
      const warden = await world.port.allocate(world.request(change, boundary), deadline());
      world.wardens.push(warden);
      return warden;
    },
  };
  return world;
}

async function demolish(world: World): Promise<void> {
  for (const warden of world.wardens) warden.close();
  const groups = [world.cgroup, world.wardenCgroup];
  for (const group of groups) writeFileSync(join(group, "cgroup.kill"), "1");
  for (const group of groups)
    await until(`${group} is empty`, () =>
      readFileSync(join(group, "cgroup.events"), "utf8").includes("populated 0"),
    );
  // Only now: a warden that lives removes the groups of its units itself.
  for (const group of groups) removeGroup(group);
  rmSync(world.root, { recursive: true });
}

function removeGroup(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) removeGroup(join(path, entry.name));
  }
  rmdirSync(path);
}

const LOG: LogSpec = { maxBytes: 1024 * 1024, keep: 2 };

/** As root of the cell. */
export function unit(
  name: string,
  argv: readonly string[],
  change: Partial<UnitSpec> = {},
): UnitSpec {
  return defaultUnit(name, { argv, user: "0", log: LOG, ...change });
}

/** Waits for the unit's next exit after `begin` was called; `begin` starts or stops it. */
export async function exitOf(warden: Warden, name: string, begin: () => Promise<unknown>) {
  const seen = new Promise<Extract<WardenEvent, { kind: "exit" }>>((resume, reject) => {
    setTimeout(() => {
      reject(new Error(`no exit of ${name}`));
    }, DEADLINE_MS).unref();
    warden.onEvent((event) => {
      if (event.kind === "exit" && event.unit === (name as UnitName)) resume(event);
    });
  });
  seen.catch(() => undefined);
  await begin();
  return await seen;
}

/** What a shell script prints in the cell, without the log's own columns. */
export async function output(
  world: World,
  warden: Warden,
  script: string,
  change: Partial<UnitSpec> = {},
) {
  const one = unit("probe", ["/bin/sh", "-c", script], change);
  await exitOf(warden, "probe", () => warden.start(one, deadline()));
  const log = join(world.port.logDirectoryOf(world.cell), "probe.log");
  const lines = readFileSync(log, "utf8").split("\n").slice(0, -1);
  rmSync(log);
  return lines.map((line) => line.split(" ").slice(3).join(" "));
}

/** Gone, or a zombie whose new parent has not looked yet. */
export function isGone(pid: number): boolean {
  try {
    return readFileSync(`/proc/${String(pid)}/stat`, "utf8").includes(") Z ");
  } catch {
    // ENOENT when it was gone before the open, ESRCH when it went between open and read.
    return true;
  }
}
