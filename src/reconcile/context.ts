// What the verbs share: the ports, the cells this daemon knows, and the way from a plan to its end.

import type {
  CellName,
  CellStatus,
  Controller,
  Desired,
  MonolithName,
  Observed,
  Step,
} from "../spec/index.js";
import { monolithOf } from "../spec/index.js";
import type { PlanFacts } from "../plan/index.js";
import type { StoredMonolith } from "../store/monoliths.js";
import { createMutex } from "../mutex.js";

import { Cells } from "./cells/cells.js";
import type { Progress } from "./control.js";
import type { Ports } from "./ports.js";
import { Exclusive } from "./admission/exclusive.js";
import { executeSteps } from "./change/execute.js";
import { Images } from "./change/images.js";
import { observe, observeCells, observePublished } from "./change/observe.js";
import { OneOffs } from "./verbs/one-offs.js";
import { Requests } from "./admission/requests.js";
import { viewMonolith } from "./view.js";

export type Report = (progress: Progress) => void;

export class Context {
  readonly ports: Ports;
  readonly cells: Cells;
  readonly requests: Requests;
  readonly oneOffs = new OneOffs(async (cell) => (await this.desired(monolithOf(cell)))?.spec);
  readonly images: Images;
  readonly startedAtMs: number;
  /** Why cells could not be allocated when it was last tried. */
  readonly blocked = new Map<CellName, string>();
  private readonly exclusive = new Exclusive();
  private readonly runsMutex = createMutex();

  constructor(ports: Ports) {
    this.ports = ports;
    this.cells = new Cells(ports);
    this.images = new Images(ports);
    this.requests = new Requests(() => ports.clock.now());
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

  observe(monolith: MonolithName): Promise<Observed> {
    return observe(this.ports, this.cells, monolith);
  }

  /** Every monolith that is on record or has a cell. */
  async monoliths(): Promise<readonly MonolithName[]> {
    const stored = (await this.ports.store.list()).map(({ name }) => name);
    return [...new Set([...stored, ...this.cells.names().map(monolithOf)])].sort();
  }

  /** Enough for start, stop and restart: no tool of the host is asked. */
  async observeRunState(monolith: MonolithName): Promise<Observed> {
    return { cells: await observeCells(this.ports, this.cells, monolith), volumes: [], images: [] };
  }

  async view(monolith: MonolithName): Promise<readonly CellStatus[]> {
    const [stored, cells] = await Promise.all([
      this.stored(monolith),
      observePublished(this.ports, this.cells, monolith),
    ]);
    return viewMonolith(stored, cells, this.blocked);
  }

  /**
   * One change of a monolith: alone, once for each request id, with its line in the audit trail before the act.
   * @param giveWay for what nobody asked for: aborted when somebody asks for another change
   * @throws {HengeError} BUSY: another change of the monolith is in flight
   */
  async change(
    request: {
      readonly id: string;
      readonly verb: string;
      readonly monolith: MonolithName;
      readonly target: string;
    },
    act: () => Promise<void>,
    giveWay?: AbortController,
  ): Promise<void> {
    const { id, verb, monolith, target } = request;
    const audited = async (): Promise<void> => {
      const line = { requestId: id, verb, target };
      const tell = (result: string): Promise<void> =>
        this.ports.audit.append({ atMs: this.ports.clock.now(), ...line, result });
      await this.ports.audit.append({ atMs: this.ports.clock.now(), ...line });
      try {
        await act();
      } catch (error) {
        await tell(error instanceof Error ? error.message : String(error));
        throw error;
      }
      await tell("ok");
    };
    await this.requests.once(id, () => this.exclusive.run(monolith, verb, audited, giveWay));
  }

  /**
   * What comes before a one-off: no change of the monolith happens meanwhile; other one-offs wait for it.
   * @throws {HengeError} BUSY: a change of the monolith is in flight
   */
  async beforeRun(monolith: MonolithName, act: () => Promise<void>): Promise<void> {
    await this.runsMutex.run(() => this.exclusive.run(monolith, "run", act));
  }

  async execute(
    monolith: MonolithName,
    steps: readonly Step[],
    report: Report,
    signal: AbortSignal,
  ): Promise<void> {
    let underWay: Step | undefined;
    const watch = (progress: Progress): void => {
      if (progress.kind === "begin") underWay = progress.step;
      if (progress.kind === "end" && progress.step.kind === "allocate")
        this.blocked.delete(progress.step.cell);
      report(progress);
    };
    try {
      await executeSteps(this.ports, this.cells, monolith, steps, watch, signal);
    } catch (error) {
      if (underWay?.kind === "allocate" && !signal.aborted) this.block(underWay.cell, error);
      throw error;
    }
  }

  /** Until it is allocated, `henge ps` tells why it could not be. */
  block(cell: CellName, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    if (this.blocked.get(cell) === reason) return;
    this.blocked.set(cell, reason);
    this.ports.events.emit({ kind: "cell-state", state: "blocked", reason }, cell);
  }
}
