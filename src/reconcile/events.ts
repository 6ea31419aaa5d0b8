// The event log of the daemon: numbers facts, tells whoever listens, and knows what was told before.

import type { Event, EventBody } from "../spec/index.js";
import type { EventLog } from "../store/event-log.js";
import type { Told } from "../store/told.js";

/** In memory; older ones are read from the file. */
const KEEP = 1_000;

export interface EventQuery {
  readonly follow: boolean;
  /** Only those with a higher number. */
  readonly sinceSeq: number;
  /** Only those of this time or later, and of an earlier one. */
  readonly sinceMs?: number;
  readonly untilMs?: number;
  /** Of this cell and those nested in it. */
  readonly cell?: string;
}

export class Events {
  private readonly log: EventLog;
  private readonly now: () => number;
  private readonly recent: Event[];
  private readonly told: Told;
  private readonly waiting = new Set<() => void>();
  private seq: number;
  /** The last that is on file, or could not be written. */
  private writtenSeq: number;

  constructor(log: EventLog, now: () => number) {
    this.log = log;
    this.now = now;
    this.recent = log.past.slice(-KEEP);
    this.told = log.told;
    this.seq = log.told.lastSeq;
    this.writtenSeq = this.seq;
  }

  emit(body: EventBody, cell?: string): void {
    const event: Event = {
      ...body,
      seq: ++this.seq,
      atMs: this.now(),
      ...(cell === undefined ? {} : { cell }),
    };
    this.told.note(event);
    this.recent.push(event);
    if (this.recent.length > KEEP) this.recent.shift();
    // An event that cannot be written is still told; wardens and records keep what it repeats.
    void this.log
      .append(event)
      .catch(() => undefined)
      .then(() => {
        this.writtenSeq = event.seq;
        for (const wake of [...this.waiting]) wake();
      });
  }

  /** The number of the last exit of a cell that was told; 0 when none was. */
  lastExitSeq(cell: string): number {
    return this.told.of(cell).exitSeq;
  }

  /** Whether that run of a unit was told to be ready. */
  toldReady(cell: string, unit: string, pid: number | undefined): boolean {
    return pid !== undefined && this.told.of(cell).ready[unit] === pid;
  }

  /** The kills for want of memory that were told of this allocation of a cell. */
  lastOomKills(cell: string): number {
    return this.told.of(cell).oomKills;
  }

  /** Only these cells are allocated: what was told of an allocation that a boot has ended is forgotten, for good. */
  async keepAllocations(cells: readonly string[]): Promise<void> {
    this.told.keepAllocations(cells);
    await this.log.keepAllocations(cells);
  }

  /**
   * Past events, oldest first, as far as they are kept; then, with `follow`, new ones until the signal aborts: once they are on
   * file. A daemon that is killed before gives the number again, and who has seen it would not ask for it.
   */
  async *read(query: EventQuery, signal: AbortSignal): AsyncGenerator<Event> {
    const lastSeq = query.follow ? Infinity : this.seq;
    const isOver = (): boolean => signal.aborted;
    let seq = query.sinceSeq;
    while (seq < lastSeq && !isOver()) {
      const { events, upTo } = this.later(seq, query.follow ? this.writtenSeq : this.seq);
      for await (const event of events) {
        if (event.seq > lastSeq || isOver()) return;
        if (isAsked(query, event)) yield event;
      }
      seq = Math.max(seq, upTo);
      await this.untilLaterThan(seq, query.follow, signal);
    }
  }

  /** The next up to `last`, from the file where memory no longer has them; up to `upTo` there are no others. */
  private later(
    seq: number,
    last: number,
  ): {
    readonly events: AsyncIterable<Event> | readonly Event[];
    readonly upTo: number;
  } {
    const first = this.recent[0]?.seq ?? this.seq + 1;
    // The file is read in its turn: all that was told before is written then.
    if (seq + 1 < first) return { events: this.onFile(seq, first), upTo: first - 1 };
    const events = this.recent.filter((event) => event.seq > seq && event.seq <= last);
    return { events, upTo: last };
  }

  private async *onFile(afterSeq: number, beforeSeq: number): AsyncGenerator<Event> {
    for await (const event of this.log.read())
      if (event.seq > afterSeq && event.seq < beforeSeq) yield event;
  }

  private untilLaterThan(seq: number, follow: boolean, signal: AbortSignal): Promise<void> {
    if (this.writtenSeq > seq || !follow || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        this.waiting.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.waiting.add(wake);
      signal.addEventListener("abort", wake);
    });
  }
}

function isAsked(
  { cell, sinceMs = -Infinity, untilMs = Infinity }: EventQuery,
  event: Event,
): boolean {
  const inTime = event.atMs >= sinceMs && event.atMs < untilMs;
  return (
    inTime &&
    (cell === undefined || event.cell === cell || event.cell?.startsWith(`${cell}/`) === true)
  );
}
