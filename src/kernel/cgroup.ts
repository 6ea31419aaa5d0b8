// The cells' cgroups: one directory per cell inside its parent's, below the one subtree of this daemon.
// A warden's leaf is made before its cell's cgroup and removed after it, so the leaves are the list of cells
// whatever moment the daemon was killed at. Leaves of units belong to the warden.

import { join } from "node:path";

import { HengeError, KernelError } from "../errors.js";
import { LIMIT_DEFAULTS, LIMIT_FILES, controllerOf, parentOf } from "../spec/index.js";
import type {
  BlockDevice,
  CellName,
  CellStats,
  Controller,
  LimitFile,
  Limits,
  Topology,
} from "../spec/index.js";
import { readBlockDevices } from "./block-devices.js";
import {
  awaitEvent,
  ensureCgroup,
  readCgroupFile,
  readCgroupFileIfAny,
  readEvent,
  removeCgroup,
  writeCgroupFile,
} from "./cgroup-file.js";
import { readStats } from "./cgroup-stats.js";
import { filesOf, normaliseLimit, planWrites } from "./limits.js";
import type { PlaceMemory } from "./place-memory.js";
import type { CgroupFacts, CgroupPort } from "./port.js";
import { enableControllers, openSubtree } from "./subtree.js";
import type { CgroupOptions } from "./subtree.js";
import { readTopology } from "./topology.js";
import { WardenLeaves } from "./warden-leaves.js";

const REMOVE_MS = 5_000;

/**
 * Opens this daemon's subtree and makes it when it is missing.
 * @throws {HengeError} KERNEL_REFUSED: no cgroup2 mount · WRONG_STATE: `delegated`, but no such cgroup
 */
export async function openCgroups(
  options: CgroupOptions,
  placeMemory?: PlaceMemory,
): Promise<CgroupPort> {
  const cgroups = new Cgroups(await openSubtree(options), placeMemory);
  await cgroups.releaseLeaves();
  return cgroups;
}

/**
 * The port over a subtree that is there already.
 * @param placeMemory by default memory stays where the kernel leaves it
 */
export function cgroupsOf(facts: CgroupFacts, placeMemory?: PlaceMemory): CgroupPort {
  return new Cgroups(facts, placeMemory);
}

class Cgroups implements CgroupPort {
  readonly facts: CgroupFacts;
  readonly #placeMemory: PlaceMemory;
  readonly #leaves: WardenLeaves;
  constructor(facts: CgroupFacts, placeMemory: PlaceMemory = () => Promise.resolve()) {
    this.facts = facts;
    this.#placeMemory = placeMemory;
    this.#leaves = new WardenLeaves(facts.subtree);
  }

  /** What a daemon left that ended before the wardens of the cells it freed. */
  async releaseLeaves(): Promise<void> {
    for (const cell of await this.list()) {
      const populated = await readEvent(this.directoryOf(cell), "populated");
      if (populated === undefined) await this.#leaves.release(cell);
    }
  }

  directoryOf(cell: CellName): string {
    return join(this.facts.subtree, cell);
  }

  ensureWardenLeaf(cell: CellName): Promise<string> {
    return this.#leaves.ensure(cell);
  }

  async ensureCell(cell: CellName, limits: Limits): Promise<void> {
    this.#requireOffered(cell, filesOf(limits));
    const parent = parentOf(cell);
    if (parent !== undefined) await enableControllers(this.directoryOf(parent), this.facts.offered);
    await this.ensureWardenLeaf(cell);
    await ensureCgroup(this.directoryOf(cell));
    const current = await this.readLimits(cell);
    // Also back to the default, for a cgroup left behind by a daemon that was killed.
    for (const file of LIMIT_FILES.filter(
      (name) => (limits[name] ?? current[name]) !== undefined,
    )) {
      const wanted = normaliseLimit(file, limits[file] ?? LIMIT_DEFAULTS[file]);
      if (wanted !== (current[file] ?? LIMIT_DEFAULTS[file]))
        await this.writeLimit(cell, file, wanted);
    }
  }

  async writeLimit(cell: CellName, file: LimitFile, text: string): Promise<void> {
    this.#requireOffered(cell, [file]);
    const directory = this.directoryOf(cell);
    const before = await readLimitFile(directory, file);
    const populated = isCpuset(file) && (await this.isPopulated(cell));
    const lifted = populated && text === "";
    // Where processes run the kernel refuses an empty cpuset (ENOSPC).
    const wanted = lifted ? await this.#allOf(file) : text;
    for (const line of planWrites(file, before, wanted))
      await writeCgroupFile(directory, file, line);
    const after = normaliseLimit(file, await readCgroupFile(directory, file));
    if (after !== normaliseLimit(file, wanted))
      throw notTaken(join(directory, file), wanted, after);
    if (populated && file === "cpuset.mems") await this.#placeMemory(directory);
  }

  async readLimits(cell: CellName): Promise<Limits> {
    const limits: Partial<Record<LimitFile, string>> = {};
    for (const file of LIMIT_FILES.filter((name) => this.#offers(controllerOf(name)))) {
      const text = await readCgroupFileIfAny(this.directoryOf(cell), file);
      const limit = text === undefined ? LIMIT_DEFAULTS[file] : normaliseLimit(file, text);
      if (limit === LIMIT_DEFAULTS[file]) continue;
      if (!isCpuset(file) || limit !== (await this.#allOf(file))) limits[file] = limit;
    }
    return limits;
  }

  stats(cell: CellName): Promise<CellStats | undefined> {
    return readStats(this.directoryOf(cell));
  }

  topology(): Promise<Topology> {
    return readTopology(this.facts.subtree);
  }

  blockDevices(): Promise<readonly BlockDevice[]> {
    return readBlockDevices();
  }

  async setFrozen(cell: CellName, frozen: boolean, signal: AbortSignal): Promise<void> {
    const directory = this.directoryOf(cell);
    await writeCgroupFile(directory, "cgroup.freeze", frozen ? "1" : "0");
    await awaitEvent(directory, "frozen", frozen ? "1" : "0", signal);
  }

  async isFrozen(cell: CellName): Promise<boolean> {
    return (await readEvent(this.directoryOf(cell), "frozen")) === "1";
  }

  async isPopulated(cell: CellName): Promise<boolean> {
    return (await readEvent(this.directoryOf(cell), "populated")) === "1";
  }

  async kill(cell: CellName, signal: AbortSignal): Promise<void> {
    const directory = this.directoryOf(cell);
    try {
      await writeCgroupFile(directory, "cgroup.kill", "1");
    } catch (error) {
      // No cgroup, no process: what was asked is so.
      if (error instanceof KernelError && error.errno === "ENOENT") return;
      throw error;
    }
    await awaitEvent(directory, "populated", "0", signal);
  }

  async remove(cell: CellName): Promise<void> {
    const nested = (await this.list()).find((other) => other.startsWith(`${cell}/`));
    if (nested !== undefined) throw stillNested(cell, nested);
    await removeCgroup(this.directoryOf(cell), performance.now() + REMOVE_MS);
    await this.#leaves.release(cell);
  }

  list(): Promise<readonly CellName[]> {
    return this.#leaves.list();
  }

  async #allOf(file: "cpuset.cpus" | "cpuset.mems"): Promise<string> {
    const { cpus, mems } = await this.topology();
    return file === "cpuset.cpus" ? cpus : mems;
  }

  #offers(controller: Controller): boolean {
    return this.facts.offered.includes(controller);
  }

  #requireOffered(cell: CellName, files: readonly LimitFile[]): void {
    const missing = files.filter((file) => !this.#offers(controllerOf(file)));
    if (missing.length > 0) throw notOffered(cell, missing);
  }
}

function isCpuset(file: LimitFile): file is "cpuset.cpus" | "cpuset.mems" {
  return file === "cpuset.cpus" || file === "cpuset.mems";
}

async function readLimitFile(directory: string, file: LimitFile): Promise<string> {
  try {
    return await readCgroupFile(directory, file);
  } catch (error) {
    if (!(error instanceof KernelError && error.errno === "ENOENT")) throw error;
    throw new HengeError("KERNEL_REFUSED", `cannot limit ${file} in ${directory}: no such file`, {
      hint: "The cgroup is gone, or this kernel is built without that file (io.weight needs BLK_CGROUP_IOCOST).",
      cause: error,
    });
  }
}

function notOffered(cell: CellName, files: readonly LimitFile[]): HengeError {
  const controllers = [...new Set(files.map(controllerOf))].join(", ");
  const text = `cannot limit ${files.join(", ")} of cell ${cell}`;
  return new HengeError(
    "KERNEL_REFUSED",
    `${text}: this host does not offer the cgroup v2 controllers ${controllers}`,
    {
      hint:
        "henge doctor says why; to go without them, list them under accept-missing-controllers in the manifest " +
        "or pass --allow-missing-controllers.",
    },
  );
}

function notTaken(path: string, wanted: string, seen: string): HengeError {
  const text = `cannot set ${path} to ${JSON.stringify(wanted)}: the kernel made it ${JSON.stringify(seen)}`;
  return new HengeError("KERNEL_REFUSED", text, {
    hint: "Write the limit as the kernel would read it back.",
  });
}

function stillNested(cell: CellName, nested: CellName): HengeError {
  const text = `cannot remove the cgroup of cell ${cell}: cell ${nested} is in it`;
  return new HengeError("WRONG_STATE", text, { hint: "Free the nested cells first." });
}
