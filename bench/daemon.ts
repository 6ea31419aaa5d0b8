// A henged of the benchmark's own, in a root of its own, asked through its API as `henge` asks it.

import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { type Client, connect } from "../src/cli/client.js";
import { runCommand } from "../src/command.js";
import { packageDirectory } from "../src/package.js";
import { rootPaths } from "../src/root.js";
import { IDLE_MANIFEST, TRUE_MANIFEST } from "./manifest.js";
import { type Subject, timed } from "./samples.js";
import { removeSubtree } from "./warden.js";

const NAME = "henge (API)";
const READY_MS = 60_000;

export interface Places {
  /** Made by the caller, removed by the caller. */
  readonly root: string;
  readonly cgroupMount: string;
}

/** Owns the daemon's process and the connection to it. */
export class DaemonBench {
  #child: ChildProcess;
  #client: Client;
  readonly #places: Places;

  private constructor(child: ChildProcess, client: Client, places: Places) {
    this.#child = child;
    this.#client = client;
    this.#places = places;
  }

  static async open(places: Places): Promise<DaemonBench> {
    const { child, client } = await start(places.root);
    return new DaemonBench(child, client, places);
  }

  /** Kills it, as a crash would, and starts the next one; milliseconds that one took to take the cells over. */
  async adoptMs(): Promise<number> {
    this.#client.close();
    await ended(this.#child, "SIGKILL");
    const { child, client } = await start(this.#places.root);
    this.#child = child;
    this.#client = client;
    const told = readFileSync(logOf(this.#places.root), "utf8").matchAll(/"adoptedMs":([\d.]+)/g);
    return Number([...told].at(-1)?.[1]);
  }

  /** What it has in memory, after what it has just done. */
  rssMiB(): number {
    const text = readFileSync(`/proc/${String(this.pid)}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1]) / 1024;
  }

  /** What `henge plan` asks. */
  async plan(text: string): Promise<void> {
    const manifest = { file: "bench", directory: "/", text };
    await this.#client.call("Plan", { manifest, allowMissingControllers: true });
  }

  /** What `henge ps` asks. */
  async list(): Promise<number> {
    return (await this.#client.call("List", {})).cells.length;
  }

  get pid(): number {
    return this.#child.pid ?? Number.NaN;
  }

  /** StartUnit of a unit that is stopped, until the daemon has answered. */
  async startSubject(): Promise<Subject> {
    await this.apply(IDLE_MANIFEST);
    const target = { cell: "start", unit: "idle" };
    const run = async (): Promise<number> => {
      await drain(this.#client.stream("Stop", { target, requestId: "" }));
      return await timed(() => drain(this.#client.stream("Start", { target, requestId: "" })));
    };
    return { measure: "start", name: NAME, run };
  }

  /** A manifest applied (its one-shot has run) and freed: planned, recorded and synced to disk each time. */
  lifeSubject(): Subject {
    const run = (): Promise<number> =>
      timed(async () => {
        await this.apply(TRUE_MANIFEST);
        await this.free("life");
      });
    return { measure: "life", name: NAME, run };
  }

  async apply(text: string): Promise<void> {
    const manifest = { file: "bench", directory: "/", text };
    await drain(
      this.#client.stream("Apply", { manifest, allowMissingControllers: true, requestId: "" }),
    );
  }

  async free(cell: string): Promise<void> {
    await drain(this.#client.stream("Free", { cell, destroyData: true, requestId: "" }));
  }

  /** Returns when the unit has been restarted. */
  async restart(cell: string, unit: string): Promise<void> {
    await drain(this.#client.stream("Restart", { target: { cell, unit }, requestId: "" }));
  }

  async pidOf(cell: string, unit: string): Promise<number> {
    const { cells } = await this.#client.call("List", {});
    const units = cells.find(({ name }) => name === cell)?.units;
    const pid = units?.find(({ name }) => name === unit)?.pid;
    if (pid === undefined) throw new Error(`cannot find ${cell}:${unit}: it does not run`);
    return pid;
  }

  async wardenPids(): Promise<readonly number[]> {
    const { cells } = await this.#client.call("List", {});
    return cells.flatMap(({ wardenPid }) => (wardenPid === undefined ? [] : [wardenPid]));
  }

  /** CPU time all its threads have used so far. */
  cpuMs(): number {
    const tasks = `/proc/${String(this.pid)}/task`;
    const nanoseconds = readdirSync(tasks).map((id) =>
      Number(readFileSync(join(tasks, id, "schedstat"), "utf8").split(" ")[0]),
    );
    return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e6;
  }

  /** Frees what it still has, ends it, and lets go of its pool. */
  async end(): Promise<void> {
    const { cells } = await this.#client.call("List", {});
    for (const { name } of cells.filter((cell) => !cell.name.includes("/"))) await this.free(name);
    this.#client.close();
    await ended(this.#child, "SIGTERM");
    const { root, cgroupMount } = this.#places;
    const { key, poolMount } = rootPaths(root);
    await runCommand(["umount", poolMount]);
    await removeSubtree(join(cgroupMount, `henge-${key}`));
  }
}

async function start(root: string): Promise<{ child: ChildProcess; client: Client }> {
  const log = openSync(logOf(root), "a");
  const main = join(packageDirectory, "dist/src/main.js");
  const child = spawn(process.execPath, [main, "--root", root], {
    stdio: ["ignore", log, log],
    // Ctrl-C is the benchmark's: it ends the daemon in order.
    detached: true,
  });
  closeSync(log);
  try {
    return { child, client: await connectWithin(READY_MS, child, root) };
  } catch (error) {
    child.kill();
    throw error;
  }
}

function logOf(root: string): string {
  return join(root, "henged.log");
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await gone;
}

async function connectWithin(ms: number, child: ChildProcess, root: string): Promise<Client> {
  const deadline = performance.now() + ms;
  for (;;) {
    try {
      return await connect(rootPaths(root).socket, "");
    } catch (error) {
      if (child.exitCode !== null || performance.now() > deadline) throw error;
    }
    await sleep(50);
  }
}

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  const items = stream[Symbol.asyncIterator]();
  while ((await items.next()).done !== true);
}
