// The warden alone, without a daemon: the kernel port and the warden port, wired as main.ts wires them.

import { readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";

import { removeCgroup } from "../src/kernel/cgroup-file.js";
import { openCgroups } from "../src/kernel/cgroup.js";
import type { CgroupPort } from "../src/kernel/port.js";
import { packageDirectory } from "../src/package.js";
import type { CellName } from "../src/spec/index.js";
import { createWardenPort } from "../src/warden/client.js";
import type { Warden, WardenPort } from "../src/warden/port.js";
import { type Spawner, createSpawner } from "../src/warden/spawner.js";
import { trueCell } from "./manifest.js";
import { type Subject, timed } from "./samples.js";

const NAME = "henge-warden";
const DEADLINE_MS = 10_000;
// Above the ids any daemon's cells get, below what fits 32 bits.
const UID_BASE = 32_768 * 65_536;

const { cell, unit } = trueCell();

/** Allocates and frees one cell again and again; owns a cgroup subtree of its own. */
export class WardenBench {
  readonly #cgroups: CgroupPort;
  readonly #wardens: WardenPort;
  readonly #spawner: Spawner;

  private constructor(cgroups: CgroupPort, wardens: WardenPort, spawner: Spawner) {
    this.#cgroups = cgroups;
    this.#wardens = wardens;
    this.#spawner = spawner;
  }

  /** `directory`: made by the caller, removed by the caller. */
  static async open(directory: string): Promise<WardenBench> {
    const cgroups = await openCgroups({ subtreeName: `henge-bench-${String(process.pid)}` });
    const helper = join(packageDirectory, "dist", "henge-helper");
    const spawner = createSpawner(helper, join(directory, "spawner.sock"));
    const wardens = createWardenPort({
      binary: join(packageDirectory, "dist", "henge-warden"),
      spawner,
      runDirectory: join(directory, "run"),
      stateDirectory: join(directory, "lib"),
      bootId: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
    });
    return new WardenBench(cgroups, wardens, spawner);
  }

  /** Where cgroup2 is mounted. */
  get cgroupMount(): string {
    return this.#cgroups.facts.mount;
  }

  /** From the request to the answer that exec(2) has happened; and to the news that it has ended. */
  startSubjects(warden: Warden): readonly Subject[] {
    const exits = exitsOf(warden);
    const start = async (): Promise<number> => {
      const exit = exits.next();
      const ms = await timed(() => warden.start(unit, AbortSignal.timeout(DEADLINE_MS)));
      await exit;
      return ms;
    };
    const startToExit = (): Promise<number> =>
      timed(async () => {
        const exit = exits.next();
        await warden.start(unit, AbortSignal.timeout(DEADLINE_MS));
        await exit;
      });
    return [
      { measure: "start", name: NAME, run: start },
      { measure: "start-exit", name: NAME, run: startToExit },
    ];
  }

  /** Cgroup, boundary, start, exit, and nothing left. */
  lifeSubject(): Subject {
    const run = (): Promise<number> =>
      timed(async () => {
        const warden = await this.allocate(cell.name);
        const exit = exitsOf(warden).next();
        await warden.start(unit, AbortSignal.timeout(DEADLINE_MS));
        await exit;
        await this.free(warden);
      });
    return { measure: "life", name: NAME, run };
  }

  async allocate(name: CellName): Promise<Warden> {
    const wardenCgroup = await this.#cgroups.ensureWardenLeaf(name);
    await this.#cgroups.ensureCell(name, {});
    const request = {
      cell: name,
      boundary: cell.boundary,
      uidBase: UID_BASE,
      cgroup: this.#cgroups.directoryOf(name),
      wardenCgroup,
      controllers: this.#cgroups.facts.offered,
      root: "host" as const,
      mountSources: [],
      hidden: [],
    };
    return await this.#wardens.allocate(request, AbortSignal.timeout(DEADLINE_MS));
  }

  async free(warden: Warden): Promise<void> {
    await warden.free(AbortSignal.timeout(DEADLINE_MS));
    await this.#cgroups.remove(warden.cell);
  }

  async end(): Promise<void> {
    this.#spawner.close();
    await removeSubtree(this.#cgroups.facts.subtree);
  }
}

/** The cgroups a daemon leaves behind for the next one, when no cell is in them any more; its wardens may still be ending. */
export async function removeSubtree(subtree: string): Promise<void> {
  await removeCgroup(join(subtree, "henge.wardens"), performance.now() + DEADLINE_MS);
  rmdirSync(subtree);
}

/** Exits one after another; ask before the unit is started. */
function exitsOf(warden: Warden): { next(): Promise<void> } {
  let heard: (() => void) | undefined;
  warden.onEvent((event) => {
    if (event.kind === "exit") heard?.();
  });
  return {
    next: () =>
      new Promise((resolve) => {
        heard = resolve;
      }),
  };
}
