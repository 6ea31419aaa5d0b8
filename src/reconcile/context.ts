// What the verbs share: the edges, the cells this daemon knows, and the way from a plan to its end.

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

import { Cells } from "./cells.js";
import type { Progress } from "./control.js";
import type { Edges } from "./edges.js";
import { Exclusive } from "./exclusive.js";
import { executeSteps } from "./execute.js";
import { Images } from "./images.js";
import { observe, observeCells, observePublished } from "./observe.js";
import { OneOffs } from "./one-offs.js";
import { Requests } from "./requests.js";
import { viewMonolith } from "./view.js";

export type Report = (progress: Progress) => void;

export class Context {
  readonly edges: Edges;
  readonly cells: Cells;
  readonly requests: Requests;
  readonly oneOffs = new OneOffs(async (cell) => (await this.desired(monolithOf(cell)))?.spec);
  readonly images: Images;
  readonly startedAtMs: number;
  /** Why cells could not be allocated when it was last tried. */
  readonly blocked = new Map<CellName, string>();
  private readonly exclusive = new Exclusive();
  private readonly runsMutex = createMutex();

  constructor(edges: Edges) {
    this.edges = edges;
    this.cells = new Cells(edges);
    this.images = new Images(edges);
    this.requests = new Requests(() => edges.clock.now());
    this.startedAtMs = edges.clock.now();
  }

  get offered(): readonly Controller[] {
    return this.edges.cgroups.facts.offered;
  }

  /** What of this host a plan depends on. */
  get planFacts(): PlanFacts {
    return { offered: this.offered, keeps: this.edges.pool.keeps };
  }

  async stored(monolith: MonolithName): Promise<StoredMonolith | undefined> {
    return (await this.edges.store.list()).find(({ name }) => name === monolith);
  }

  async desired(monolith: MonolithName): Promise<Desired | undefined> {
    const stored = await this.stored(monolith);
    return stored === undefined || "corrupt" in stored ? undefined : stored.desired;
  }

  observe(monolith: MonolithName): Promise<Observed> {
    return observe(this.edges, this.cells, monolith);
  }

  /** Every monolith that is on record or has a cell. */
  async monoliths(): Promise<readonly MonolithName[]> {
    const stored = (await this.edges.store.list()).map(({ name }) => name);
    return [...new Set([...stored, ...this.cells.names().map(monolithOf)])].sort();
  }

  /** Enough for start, stop and restart: no tool of the host is asked. */
  async observeRunState(monolith: MonolithName): Promise<Observed> {
    return { cells: await observeCells(this.edges, this.cells, monolith), volumes: [], images: [] };
  }

  async view(monolith: MonolithName): Promise<readonly CellStatus[]> {
    const [stored, cells] = await Promise.all([
      this.stored(monolith),
      observePublished(this.edges, this.cells, monolith),
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
        this.edges.audit.append({ atMs: this.edges.clock.now(), ...line, result });
      await this.edges.audit.append({ atMs: this.edges.clock.now(), ...line });
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
      await executeSteps(this.edges, this.cells, monolith, steps, watch, signal);
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
    this.edges.events.emit({ kind: "cell-state", state: "blocked", reason }, cell);
  }
}
