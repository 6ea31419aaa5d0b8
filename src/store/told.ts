// What was told of each cell already, so that a daemon that comes back tells the rest once. It is kept apart from the
// events: those are evicted when there are too many, and the wardens keep what they know for longer.

import type { Event } from "../spec/index.js";

export interface ToldOfCell {
  /** The number its wardens gave the last exit that was told; it goes on from one allocation to the next. */
  readonly exitSeq: number;
  /** Processes killed for want of memory, told of this allocation. */
  readonly oomKills: number;
  /** Unit → main process of the run that was told to be ready, in this allocation. */
  readonly ready: Readonly<Record<string, number>>;
}

/** As it is on record. */
export interface ToldRecord {
  /** Of the last event it knows of. */
  readonly seq: number;
  readonly cells: Readonly<Record<string, ToldOfCell>>;
}

const NOTHING: ToldOfCell = { exitSeq: 0, oomKills: 0, ready: {} };

export class Told {
  private seq: number;
  private readonly cells: Map<string, ToldOfCell>;

  constructor(record: ToldRecord = { seq: 0, cells: {} }) {
    this.seq = record.seq;
    this.cells = new Map(Object.entries(record.cells));
  }

  get lastSeq(): number {
    return this.seq;
  }

  of(cell: string): ToldOfCell {
    return this.cells.get(cell) ?? NOTHING;
  }

  toRecord(): ToldRecord {
    return { seq: this.seq, cells: Object.fromEntries(this.cells) };
  }

  /** In the order of their numbers; one that is known already changes nothing. */
  note(event: Event): void {
    if (event.seq <= this.seq) return;
    this.seq = event.seq;
    if (event.cell === undefined) return;
    const next = afterEvent(this.of(event.cell), event);
    if (next !== undefined) this.cells.set(event.cell, next);
  }

  /** Of cells that are no longer allocated only what outlives an allocation is kept. */
  keepAllocations(allocated: readonly string[]): void {
    const kept = new Set(allocated);
    for (const [cell, { exitSeq }] of this.cells)
      if (!kept.has(cell)) this.cells.set(cell, { ...NOTHING, exitSeq });
  }
}

function afterEvent(told: ToldOfCell, event: Event): ToldOfCell | undefined {
  switch (event.kind) {
    case "unit-exit":
      return { ...told, exitSeq: Math.max(told.exitSeq, event.wardenSeq) };
    case "oom":
      return { ...told, oomKills: event.kills };
    case "unit-state":
      if (event.state !== "running" || event.pid === undefined) return undefined;
      return { ...told, ready: { ...told.ready, [event.unit]: event.pid } };
    case "cell-state":
      return event.state === "absent" ? { ...NOTHING, exitSeq: told.exitSeq } : undefined;
    case "step":
    case "pressure":
    case "rules-restored":
    case "snapshot":
    case "daemon":
      return undefined;
  }
}
