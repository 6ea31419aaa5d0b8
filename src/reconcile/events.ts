// The event log of the daemon: numbers facts, keeps the last of them, tells whoever listens.

import type { Event, EventBody } from "../spec/index.js";
import type { EventLog } from "../store/event-log.js";

const KEEP = 10_000;

export class Events {
  private readonly log: EventLog;
  private readonly now: () => number;
  private readonly recent: Event[];
  private readonly listeners = new Set<(event: Event) => void>();
  private seq: number;

  constructor(log: EventLog, now: () => number) {
    this.log = log;
    this.now = now;
    this.recent = log.past.slice(-KEEP);
    this.seq = log.past.at(-1)?.seq ?? 0;
  }

  emit(body: EventBody, cell?: string): void {
    const event: Event = {
      ...body,
      seq: ++this.seq,
      atMs: this.now(),
      ...(cell === undefined ? {} : { cell }),
    };
    this.recent.push(event);
    if (this.recent.length > KEEP) this.recent.shift();
    // An event that cannot be written is still told; wardens and records keep what it repeats.
    this.log.append(event).catch(() => undefined);
    for (const listener of this.listeners) listener(event);
  }

  /** The number of the last exit of a cell that was told; 0 when none was. */
  lastExitSeq(cell: string): number {
    let last = 0;
    for (const event of this.recent) {
      if (event.kind === "unit-exit" && event.cell === cell) last = Math.max(last, event.wardenSeq);
    }
    return last;
  }

  /** Whether that run of a unit was told to be ready. */
  toldReady(cell: string, unit: string, pid: number | undefined): boolean {
    return this.recent.some(
      (event) =>
        event.kind === "unit-state" &&
        event.state === "running" &&
        event.cell === cell &&
        event.unit === unit &&
        event.pid === pid,
    );
  }

  /** The kills for want of memory that were told of this allocation of a cell. */
  lastOomKills(cell: string): number {
    let last = 0;
    for (const event of this.recent) {
      if (event.cell !== cell) continue;
      if (event.kind === "oom") last = event.kills;
      if (event.kind === "cell-state" && event.state === "absent") last = 0;
    }
    return last;
  }

  /** Kept events later than `sinceSeq`, then, with `follow`, new ones until the signal aborts. */
  async *read(
    query: { readonly follow: boolean; readonly sinceSeq: number; readonly cell?: string },
    signal: AbortSignal,
  ): AsyncGenerator<Event> {
    const wanted = (event: Event): boolean =>
      event.seq > query.sinceSeq &&
      (query.cell === undefined ||
        event.cell === query.cell ||
        event.cell?.startsWith(`${query.cell}/`) === true);
    const queue = this.recent.filter(wanted);
    let wake = (): void => undefined;
    const listener = (event: Event): void => {
      if (wanted(event) && queue.length < KEEP) queue.push(event);
      wake();
    };
    const onAbort = (): void => {
      wake();
    };
    this.listeners.add(listener);
    signal.addEventListener("abort", onAbort);
    try {
      for (;;) {
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) yield next;
        if (!query.follow || signal.aborted) return;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      this.listeners.delete(listener);
      signal.removeEventListener("abort", onAbort);
    }
  }
}
