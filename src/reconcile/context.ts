// What the verbs share: the ports, the cells this daemon knows, the operations, and what is on record.

import type { PlanFacts } from "../plan/index.js";
import { HengeError } from "../errors.js";
import type { CellName, CellStatus, Controller, Desired, MonolithName } from "../spec/index.js";
import { monolithOf, parentOf } from "../spec/index.js";
import type { StoredMonolith } from "../store/monoliths.js";
import { createMutex } from "../mutex.js";

import { MonolithMutex } from "./admission/monolith-mutex.js";
import { Operations } from "./admission/operations.js";
import { cellNotFound } from "./admission/targets.js";
import { Allocator } from "./cells/allocator.js";
import { Cells } from "./cells/cells.js";
import { Images } from "./images.js";
import { observePublished } from "./observe.js";
import type { Ports } from "./ports.js";
import { viewMonolith } from "./view.js";
import { OneOffs } from "./admission/one-offs.js";

/** Verbs that ask for another manifest than the one that is desired. */
const ASKING: readonly string[] = ["up", "upgrade", "clone", "down"];

export class Context {
  readonly ports: Ports;
  readonly cells: Cells;
  readonly allocator: Allocator;
  readonly operations: Operations;
  readonly oneOffs = new OneOffs(async (cell) => (await this.desired(monolithOf(cell)))?.spec);
  readonly images: Images;
  readonly startedAtMs: number;
  /** Why cells could not be allocated when it was last tried. */
  readonly blocked = new Map<CellName, string>();
  readonly mutex = new MonolithMutex();
  private readonly runs = createMutex();

  constructor(ports: Ports) {
    this.ports = ports;
    this.cells = new Cells(ports);
    this.allocator = new Allocator(ports, this.cells);
    this.images = new Images(ports);
    this.operations = new Operations(ports);
    this.startedAtMs = ports.clock.now();
  }

  get offered(): readonly Controller[] {
    return this.ports.cgroups.facts.offered;
  }

  /** What of this host a plan depends on. */
  get planFacts(): PlanFacts {
    return { offered: this.offered, keeps: this.ports.pool.keeps };
  }

  async stored(monolith: MonolithName): Promise<StoredMonolith | undefined> {
    return (await this.ports.store.list()).find(({ name }) => name === monolith);
  }

  async desired(monolith: MonolithName): Promise<Desired | undefined> {
    const stored = await this.stored(monolith);
    return stored === undefined || "corrupt" in stored ? undefined : stored.desired;
  }

  /** Every monolith that is on record or has a cell. */
  async monoliths(): Promise<readonly MonolithName[]> {
    const stored = (await this.ports.store.list()).map(({ name }) => name);
    return [...new Set([...stored, ...this.cells.names().map(monolithOf)])].sort();
  }

  /**
   * Its name: a snapshot is of all of it.
   * @throws {HengeError} WRONG_STATE: it is a nested cell · CELL_NOT_FOUND
   */
  async wholeMonolith(cell: CellName, act: string): Promise<MonolithName> {
    const monolith = monolithOf(cell);
    if (parentOf(cell) !== undefined)
      throw new HengeError(
        "WRONG_STATE",
        `cannot ${act} ${cell} alone: it is part of ${monolith}`,
        { hint: `name the whole: ${monolith}` },
      );
    const known = await this.monoliths();
    if (known.includes(monolith)) return monolith;
    const keepers = await this.ports.volumes.listMonoliths();
    if (keepers.includes(monolith)) return monolith;
    throw cellNotFound(
      cell,
      [...new Set([...known, ...keepers])].map((name) => ({ name: name as string as CellName })),
    );
  }

  async view(monolith: MonolithName): Promise<readonly CellStatus[]> {
    const [stored, cells] = await Promise.all([
      this.stored(monolith),
      observePublished(this.ports, this.cells, monolith),
    ]);
    return viewMonolith(monolith, stored, cells, this);
  }

  /** Monoliths of which something was asked that could not be reached, whether or not anything of them is there. */
  askedFor(): readonly MonolithName[] {
    return this.operations.monoliths().filter((name) => this.notReached(name) !== undefined);
  }

  /** What was asked of a monolith last and could not be reached, in words; undefined when it could. */
  notReached(monolith: MonolithName): string | undefined {
    const last = this.operations.lastOf(monolith, ASKING);
    if (last?.state !== "failed" && last?.state !== "cancelled") return undefined;
    const { verb, caller, endedAtMs = 0, id, error } = last;
    const [why = ""] = (error?.message ?? last.state).split("\n");
    const at = new Date(endedAtMs).toISOString();
    return `${verb} by ${caller} did not come to its end at ${at}: ${why} (henge operations ${id})`;
  }

  /** @throws {HengeError} WRONG_STATE */
  async refuseHalted(act: string): Promise<void> {
    if (!(await this.ports.haltMark.isSet())) return;
    throw new HengeError("WRONG_STATE", `cannot ${act}: everything is halted`, {
      hint: "henge resume brings up what is desired",
    });
  }

  /** Goes on with a rollback that was begun, if one was. */
  async finishRollback(monolith: MonolithName, signal: AbortSignal): Promise<void> {
    const name = await this.ports.snapshots.finishRollback(monolith, signal);
    if (name !== undefined)
      this.ports.events.emit({ kind: "snapshot", name, what: "rolled-back" }, monolith);
  }

  /**
   * What comes before a one-off: no change of the monolith happens meanwhile; other one-offs wait for it.
   * @throws {HengeError} BUSY: a change of the monolith is in flight
   */
  async beforeRun(monolith: MonolithName, act: () => Promise<void>): Promise<void> {
    const entry = { verb: "run", interrupts: ["converge"], interrupt: () => undefined };
    await this.runs.run(() => this.mutex.run(monolith, entry, act));
  }

  /** Until it is allocated, `henge ps` tells why it could not be. */
  block(cell: CellName, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    if (this.blocked.get(cell) === reason) return;
    this.blocked.set(cell, reason);
    this.ports.events.emit({ kind: "cell-state", state: "blocked", reason }, cell);
  }
}
