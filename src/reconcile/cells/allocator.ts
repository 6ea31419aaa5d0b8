// Raises and frees the kernel's things of a cell: cgroup, warden and network. It adopts the cells that outlived the last
// daemon, and runs nothing in them.

import { mapBounded } from "../../bounded.js";
import type {
  CellName,
  CellSpec,
  LimitFile,
  Limits,
  MonolithName,
  MountSource,
  PublishSpec,
} from "../../spec/index.js";
import { controllerOf, parentOf } from "../../spec/index.js";
import type { Warden } from "../../warden/port.js";

import { withDeadline } from "../clock.js";
import type { Ports } from "../ports.js";
import { release } from "./cells.js";
import type { Cells } from "./cells.js";
import type { Declared } from "./declared.js";
import { findOrphans } from "./orphans.js";
import { UidRanges } from "./uid-range.js";
import { WardenEvents } from "./warden-events.js";

const CLEANUP_DEADLINE_MS = 30_000;
/** Wardens asked at a time. */
const ADOPTING_MAX = 16;

export class Allocator {
  private readonly ports: Ports;
  private readonly cells: Cells;
  private readonly uidRanges: UidRanges;
  private readonly wardenEvents: WardenEvents;

  constructor(ports: Ports, cells: Cells) {
    this.ports = ports;
    this.cells = cells;
    this.uidRanges = new UidRanges(ports.rootKey, () => cells.uidBases());
    this.wardenEvents = new WardenEvents(ports.events, cells);
  }

  /** Finds every cell that outlived the last daemon. Starts and stops nothing by itself. */
  async adopt(declared: Declared, signal: AbortSignal): Promise<void> {
    const { ports, cells } = this;
    const wardens = await ports.wardens.adopt(signal);
    await mapBounded(wardens, ADOPTING_MAX, (warden) => this.adoptOne(warden, declared, signal));
    for (const cell of await ports.wardens.listLost()) cells.addOrphan(cell);
    for (const cell of await findOrphans(ports, cells.names())) cells.addOrphan(cell);
    await ports.events.keepAllocations(cells.names()).catch((error: unknown) => {
      ports.warn("some events may be told again", error);
    });
  }

  private async adoptOne(warden: Warden, declared: Declared, signal: AbortSignal): Promise<void> {
    const { cell } = warden;
    const passOn = this.wardenEvents.listen(warden);
    // Exits first, then the state: one that comes between the two waits in the listener's queue.
    await this.wardenEvents.tellMissed(warden, signal);
    const { units, oomKills = 0, ...state } = await warden.state(signal);
    this.wardenEvents.tellOom(cell, oomKills);
    const isFrozen = await this.ports.cgroups.isFrozen(cell);
    this.cells.add(warden, state);
    for (const told of units) this.cells.adoptUnit(cell, told, declared(cell, told.name), isFrozen);
    passOn();
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
    this.cells.add(warden, { cell, wardenPid, initPid, uidBase, boundary });
    this.wardenEvents.listen(warden)();
  }

  async publish(cell: CellName, ports: readonly PublishSpec[]): Promise<void> {
    await this.ports.network.attach(cell, this.cells.existing(cell).warden.initPid, ports);
  }

  /** Ends what runs in the cell, with or without a warden, and returns its kernel resources. Idempotent. */
  async free(cell: CellName, signal: AbortSignal): Promise<void> {
    const known = this.cells.get(cell);
    if (known !== undefined) release(known);
    // Only a root cell can have a network of its own.
    if (parentOf(cell) === undefined) await this.ports.network.detach(cell);
    if (known !== undefined && !known.lost) {
      await known.warden.free(signal);
    } else {
      await this.ports.cgroups.kill(cell, signal);
      await this.ports.wardens.forget(cell);
    }
    known?.warden.close();
    const wasKnown = this.cells.remove(cell);
    await this.ports.cgroups.remove(cell);
    if (wasKnown) this.ports.events.emit({ kind: "cell-state", state: "absent" }, cell);
  }

  private async rootOf({ boundary: { root } }: CellSpec): Promise<"host" | MountSource> {
    return root.kind === "host" ? "host" : this.ports.images.source(root.image, root.digest ?? "");
  }

  private networkOf({ name, boundary }: CellSpec): number | undefined {
    const parent = boundary.network === "parent" ? parentOf(name) : undefined;
    return parent === undefined ? undefined : this.cells.existing(parent).warden.initPid;
  }

  private offeredLimits(limits: Limits): Limits {
    const offered = this.ports.cgroups.facts.offered;
    return Object.fromEntries(
      Object.entries(limits).filter(([file]) => offered.includes(controllerOf(file as LimitFile))),
    );
  }
}
