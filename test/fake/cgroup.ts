// The cgroup port in memory, for tests of the core: same promises, no kernel. The contract suite holds it to them.

import { HengeError, KernelError } from "../../src/errors.js";
import { filesOf, normaliseLimit } from "../../src/kernel/limits.js";
import type { CgroupFacts, CgroupPort } from "../../src/kernel/port.js";
import { LIMIT_DEFAULTS, controllerOf, fileNameOf, parentOf } from "../../src/spec/index.js";
import type {
  BlockDevice,
  CellName,
  CellStats,
  Controller,
  LimitFile,
  Limits,
  Topology,
} from "../../src/spec/index.js";

interface Cell {
  limits: Partial<Record<LimitFile, string>>;
  frozen: boolean;
  populated: boolean;
}

export interface FakeCgroups extends CgroupPort {
  /** As if a process ran in a leaf of the cell, or had ended. */
  setPopulated(cell: CellName, populated: boolean): void;
}

export function createFakeCgroups(
  options: { readonly offered?: readonly Controller[] } = {},
): FakeCgroups {
  return new InMemoryCgroups(options.offered ?? ["cpu", "cpuset", "memory", "io", "pids"]);
}

class InMemoryCgroups implements FakeCgroups {
  readonly facts: CgroupFacts;
  readonly #cells = new Map<CellName, Cell>();
  readonly #leaves = new Set<CellName>();
  constructor(offered: readonly Controller[]) {
    this.facts = { mount: "/sys/fs/cgroup", subtree: "/sys/fs/cgroup/henge", offered };
  }

  directoryOf(cell: CellName): string {
    return `${this.facts.subtree}/${cell}`;
  }

  /** As a cell with one process that has done little. */
  stats(cell: CellName): Promise<CellStats | undefined> {
    const known = this.#cells.get(cell);
    if (known === undefined) return Promise.resolve(undefined);
    const counts = (controller: Controller): boolean => this.facts.offered.includes(controller);
    const max = Number(known.limits["memory.max"]);
    return Promise.resolve({
      cpuUsageUs: 1_500_000,
      ...(counts("memory") ? { memoryBytes: 4_096, oomKills: 0 } : {}),
      ...(counts("memory") && max >= 0 ? { memoryMaxBytes: max } : {}),
      ...(counts("pids") ? { pids: known.populated ? 1 : 0 } : {}),
      ...(counts("io") ? { ioReadBytes: 0, ioWrittenBytes: 0 } : {}),
    });
  }

  /** Two nodes of two CPUs each. */
  topology(): Promise<Topology> {
    const nodes = [0, 1].map((number) => ({ number, cpus: number === 0 ? "0-1" : "2-3" }));
    return Promise.resolve({ cpus: "0-3", mems: "0-1", nodes });
  }

  /** A disk with one partition. */
  blockDevices(): Promise<readonly BlockDevice[]> {
    return Promise.resolve([
      { number: "8:0", name: "sda" },
      { number: "8:1", name: "sda1", disk: "8:0" },
    ]);
  }

  async ensureWardenLeaf(cell: CellName): Promise<string> {
    this.#leaves.add(cell);
    return Promise.resolve(`${this.facts.subtree}/henge.wardens/${fileNameOf(cell)}`);
  }

  async ensureCell(cell: CellName, limits: Limits): Promise<void> {
    for (const file of filesOf(limits)) this.#requireOffered(cell, file);
    const parent = parentOf(cell);
    if (parent !== undefined) this.#cellOf(parent);
    await this.ensureWardenLeaf(cell);
    const known = this.#cells.get(cell) ?? { limits: {}, frozen: false, populated: false };
    this.#cells.set(cell, { ...known, limits: {} });
    for (const file of filesOf(limits)) await this.writeLimit(cell, file, limits[file] ?? "");
  }

  async writeLimit(cell: CellName, file: LimitFile, text: string): Promise<void> {
    this.#requireOffered(cell, file);
    const { limits } = this.#cellOf(cell);
    const limit = normaliseLimit(file, text);
    if (limit === LIMIT_DEFAULTS[file]) delete limits[file];
    else limits[file] = limit;
    return Promise.resolve();
  }

  async readLimits(cell: CellName): Promise<Limits> {
    return Promise.resolve({ ...this.#cells.get(cell)?.limits });
  }

  async setFrozen(cell: CellName, frozen: boolean, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#cellOf(cell).frozen = frozen;
    return Promise.resolve();
  }

  async isFrozen(cell: CellName): Promise<boolean> {
    return Promise.resolve(this.#cells.get(cell)?.frozen ?? false);
  }

  async isPopulated(cell: CellName): Promise<boolean> {
    const below = [...this.#cells].filter(([name]) => name === cell || name.startsWith(`${cell}/`));
    return Promise.resolve(below.some(([, state]) => state.populated));
  }

  async kill(cell: CellName, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    for (const [name, state] of this.#cells) {
      if (name === cell || name.startsWith(`${cell}/`)) state.populated = false;
    }
    return Promise.resolve();
  }

  async remove(cell: CellName): Promise<void> {
    if ((await this.list()).some((name) => name.startsWith(`${cell}/`))) {
      throw new HengeError(
        "WRONG_STATE",
        `cannot remove the cgroup of cell ${cell}: a cell is in it`,
      );
    }
    if (await this.isPopulated(cell)) {
      throw new HengeError("BUSY", `cannot remove cgroup ${this.directoryOf(cell)}`);
    }
    this.#cells.delete(cell);
    this.#leaves.delete(cell);
  }

  async list(): Promise<readonly CellName[]> {
    return Promise.resolve([...this.#leaves].sort());
  }

  setPopulated(cell: CellName, populated: boolean): void {
    this.#cellOf(cell).populated = populated;
  }

  #cellOf(cell: CellName): Cell {
    const state = this.#cells.get(cell);
    if (state === undefined)
      throw new KernelError("find cgroup", "ENOENT", { path: this.directoryOf(cell) });
    return state;
  }

  #requireOffered(cell: CellName, file: LimitFile): void {
    if (this.facts.offered.includes(controllerOf(file))) return;
    const text = `cannot limit ${file} of cell ${cell}: no controller ${controllerOf(file)}`;
    throw new HengeError("KERNEL_REFUSED", text);
  }
}
