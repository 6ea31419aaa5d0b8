// The allocated cells this daemon knows: their wardens and their units' supervisors. It allocates, adopts and frees.

import { mapBounded } from "../../bounded.js";
import { HengeError } from "../../errors.js";
import type {
  CellName,
  CellSpec,
  LimitFile,
  Limits,
  MonolithName,
  MountSource,
  PublishSpec,
  UnitName,
  UnitSpec,
} from "../../spec/index.js";
import { controllerOf, parentOf } from "../../spec/index.js";
import type { Warden, WardenState } from "../../warden/port.js";

import { withDeadline } from "../clock.js";
import { asDeclared } from "./declared.js";
import type { Declared } from "./declared.js";
import { Dependencies } from "./dependencies.js";
import type { Ports } from "../ports.js";
import { findOrphans } from "./orphans.js";
import { Supervisor } from "./supervisor.js";
import { UidRanges } from "./uid-range.js";

export interface AllocatedCell {
  readonly warden: Warden;
  readonly state: Omit<WardenState, "units" | "oomKills">;
  readonly units: Map<UnitName, Supervisor>;
  /** Its warden is gone. */
  lost: boolean;
}

const CLEANUP_DEADLINE_MS = 30_000;
/** Wardens asked at a time. */
const ADOPTING_MAX = 16;

export class Cells {
  private readonly ports: Ports;
  private readonly allocated = new Map<CellName, AllocatedCell>();
  /** Cells a former daemon's warden left without a witness. */
  private readonly orphaned = new Set<CellName>();
  private readonly uidRanges: UidRanges;
  readonly dependencies: Dependencies;

  constructor(ports: Ports) {
    this.ports = ports;
    this.uidRanges = new UidRanges(ports.rootKey, () =>
      [...this.allocated.values()].map(({ state }) => state.uidBase),
    );
    this.dependencies = new Dependencies(ports.random, this.allocated);
  }

  get(cell: CellName): AllocatedCell | undefined {
    return this.allocated.get(cell);
  }

  names(): readonly CellName[] {
    return [...new Set([...this.allocated.keys(), ...this.orphaned])].sort();
  }

  isUnsupervised(cell: CellName): boolean {
    return this.orphaned.has(cell) || this.allocated.get(cell)?.lost === true;
  }

  /** Finds every cell that outlived the last daemon. Starts and stops nothing by itself. */
  async adopt(declared: Declared, signal: AbortSignal): Promise<void> {
    const wardens = await this.ports.wardens.adopt(signal);
    await mapBounded(wardens, ADOPTING_MAX, (warden) => this.adoptOne(warden, declared, signal));
    for (const cell of await this.ports.wardens.listLost()) this.orphaned.add(cell);
    for (const cell of await findOrphans(this.ports, this.names())) this.orphaned.add(cell);
    await this.ports.events.keepAllocations(this.names()).catch((error: unknown) => {
      this.ports.warn("some events may be told again", error);
    });
  }

  private async adoptOne(warden: Warden, declared: Declared, signal: AbortSignal): Promise<void> {
    const { cell } = warden;
    const release = this.listen(warden);
    // Exits first, then the state: one that comes between the two waits in the listener's queue.
    const seen = this.ports.events.lastExitSeq(cell);
    for (const event of await warden.exitsSince(seen, signal)) this.tellExit(cell, event);
    const { units, oomKills = 0, ...state } = await warden.state(signal);
    this.tellOom(cell, oomKills);
    const isFrozen = await this.ports.cgroups.isFrozen(cell);
    const supervisors = new Map<UnitName, Supervisor>();
    this.allocated.set(cell, { warden, state, units: supervisors, lost: false });
    for (const told of units) {
      const { wanted, spec } = declared(cell, told.name);
      const unit = asDeclared(told, spec);
      supervisors.set(
        unit.name,
        Supervisor.adopt(this.ports, warden, unit, { wanted, isFrozen }, this.dependencies.look),
      );
    }
    release();
  }

  /** @throws {HengeError} what the pool, the kernel or the warden refused; nothing of the cell is left */
  async allocate(monolith: MonolithName, spec: CellSpec, signal: AbortSignal): Promise<void> {
    try {
      await this.uidRanges.lend((uidBase) => this.raise(uidBase, monolith, spec, signal));
      if (spec.boundary.network === "own") await this.publish(spec.name, spec.publish);
    } catch (error) {
      // With a deadline of its own: what was interrupted is cleaned up all the same.
      await withDeadline(this.ports.clock, CLEANUP_DEADLINE_MS, (patience) =>
        this.free(spec.name, patience),
      );
      throw error;
    }
    this.ports.events.emit({ kind: "cell-state", state: "running" }, spec.name);
  }

  private async raise(
    uidBase: number,
    monolith: MonolithName,
    spec: CellSpec,
    signal: AbortSignal,
  ): Promise<void> {
    const { cgroups, wardens, hidden } = this.ports;
    const { name: cell, boundary } = spec;
    const root = await this.rootOf(spec);
    const mountSources = await Promise.all(
      boundary.mounts.map(({ volume }) => this.ports.volumes.source(monolith, volume)),
    );
    const networkOf = this.networkOf(spec);
    const wardenCgroup = await cgroups.ensureWardenLeaf(cell);
    await cgroups.ensureCell(cell, this.offeredLimits(spec.limits));
    const warden = await wardens.allocate(
      {
        cell,
        boundary,
        uidBase,
        cgroup: cgroups.directoryOf(cell),
        wardenCgroup,
        controllers: cgroups.facts.offered,
        root,
        mountSources,
        hidden,
        ...(networkOf === undefined ? {} : { networkOf }),
      },
      signal,
    );
    const { wardenPid, initPid } = warden;
    const state = { cell, wardenPid, initPid, uidBase, boundary };
    this.allocated.set(cell, { warden, state, units: new Map(), lost: false });
    this.listen(warden)();
  }

  async publish(cell: CellName, ports: readonly PublishSpec[]): Promise<void> {
    await this.ports.network.attach(cell, this.existing(cell).warden.initPid, ports);
  }

  /** Ends what runs in the cell, with or without a warden, and returns its kernel resources. Idempotent. */
  async free(cell: CellName, signal: AbortSignal): Promise<void> {
    const known = this.allocated.get(cell);
    for (const unit of known?.units.values() ?? []) unit.release();
    // Only a root cell can have a network of its own.
    if (parentOf(cell) === undefined) await this.ports.network.detach(cell);
    if (known !== undefined && !known.lost) {
      await known.warden.free(signal);
    } else {
      await this.ports.cgroups.kill(cell, signal);
      await this.ports.wardens.forget(cell);
    }
    known?.warden.close();
    this.allocated.delete(cell);
    this.dependencies.forget(cell);
    const was = this.orphaned.delete(cell) || known !== undefined;
    await this.ports.cgroups.remove(cell);
    if (was) this.ports.events.emit({ kind: "cell-state", state: "absent" }, cell);
  }

  /** The supervisor of a unit, made when the unit was never started in this allocation. */
  unit(cell: CellName, spec: UnitSpec): Supervisor {
    const { warden, units } = this.existing(cell);
    const known =
      units.get(spec.name) ?? new Supervisor(this.ports, warden, spec, this.dependencies.look);
    units.set(spec.name, known);
    return known;
  }

  existingUnit(cell: CellName, unit: UnitName): Supervisor {
    const known = this.existing(cell).units.get(unit);
    if (known === undefined) {
      throw new HengeError("WRONG_STATE", `cannot use ${cell}:${unit}: it was never started`, {
        hint: `henge start ${cell}:${unit}`,
      });
    }
    return known;
  }

  /** @throws {HengeError} WRONG_STATE: not allocated, or its warden is gone */
  existing(cell: CellName): AllocatedCell {
    const known = this.allocated.get(cell);
    if (known === undefined || known.lost) {
      const why = known === undefined ? "it is not running" : "its warden is gone";
      throw new HengeError("WRONG_STATE", `cannot use cell ${cell}: ${why}`, {
        hint: "bring it up with henge up FILE",
      });
    }
    return known;
  }

  /** Lets go of every warden; they live on. */
  close(): void {
    for (const { warden, units } of this.allocated.values()) {
      for (const unit of units.values()) unit.release();
      warden.close();
    }
  }

  /** Queues a warden's events until the returned function is called, then passes them on as they come. */
  private listen(warden: Warden): () => void {
    const queue: Parameters<Parameters<Warden["onEvent"]>[0]>[0][] = [];
    let open = false;
    const pass = (event: (typeof queue)[number]): void => {
      this.handle(warden, event);
    };
    warden.onEvent((event) => {
      if (open) pass(event);
      else queue.push(event);
    });
    return () => {
      open = true;
      queue.forEach(pass);
    };
  }

  private handle(warden: Warden, event: Parameters<Parameters<Warden["onEvent"]>[0]>[0]): void {
    const known = this.allocated.get(warden.cell);
    if (known?.warden !== warden) return;
    switch (event.kind) {
      case "exit":
        this.tellExit(warden.cell, event);
        known.units.get(event.unit)?.exited(event.pid, event.exit);
        return;
      case "ready":
        known.units.get(event.unit)?.notified(event.pid);
        return;
      case "status":
        known.units.get(event.unit)?.setStatus(event.text, event.pid);
        return;
      case "oom":
        this.tellOom(warden.cell, event.kills);
        return;
      case "pressure":
        this.ports.events.emit(event, warden.cell);
        return;
      case "lost":
        known.lost = true;
        for (const unit of known.units.values()) unit.release();
        this.ports.events.emit(
          { kind: "cell-state", state: "unsupervised", reason: "its warden is gone" },
          warden.cell,
        );
        return;
    }
  }

  private tellExit(
    cell: CellName,
    { unit, pid, exit, seq }: Parameters<Parameters<Warden["onEvent"]>[0]>[0] & { kind: "exit" },
  ): void {
    if (seq <= this.ports.events.lastExitSeq(cell)) return;
    this.ports.events.emit({ kind: "unit-exit", unit, pid, exit, wardenSeq: seq }, cell);
  }

  /** Told once, live or when a daemon comes back: the count only rises. */
  private tellOom(cell: CellName, kills: number): void {
    if (kills > this.ports.events.lastOomKills(cell))
      this.ports.events.emit({ kind: "oom", kills }, cell);
  }

  private async rootOf({ boundary: { root } }: CellSpec): Promise<"host" | MountSource> {
    return root.kind === "host" ? "host" : this.ports.images.source(root.image, root.digest ?? "");
  }

  private networkOf({ name, boundary }: CellSpec): number | undefined {
    const parent = boundary.network === "parent" ? parentOf(name) : undefined;
    return parent === undefined ? undefined : this.existing(parent).warden.initPid;
  }

  private offeredLimits(limits: Limits): Limits {
    const offered = this.ports.cgroups.facts.offered;
    return Object.fromEntries(
      Object.entries(limits).filter(([file]) => offered.includes(controllerOf(file as LimitFile))),
    );
  }
}
