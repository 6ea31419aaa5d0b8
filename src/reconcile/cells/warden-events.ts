// What wardens tell becomes Henge's events, and reaches the supervisor of the unit it is about. Nothing is told twice, live or
// when a daemon comes back.

import type { CellName } from "../../spec/index.js";
import type { Warden, WardenEvent } from "../../warden/port.js";

import type { Ports } from "../ports.js";
import type { AllocatedCell, Cells } from "./cells.js";

export class WardenEvents {
  private readonly events: Ports["events"];
  private readonly cells: Cells;

  constructor(events: Ports["events"], cells: Cells) {
    this.events = events;
    this.cells = cells;
  }

  /** Queues a warden's events until the returned function is called, then passes them on as they come. */
  listen(warden: Warden): () => void {
    const queue: WardenEvent[] = [];
    let open = false;
    const pass = (event: WardenEvent): void => {
      const known = this.cells.get(warden.cell);
      if (known?.warden === warden) this.handle(known, event);
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

  /** Tells the exits that came while no daemon listened. */
  async tellMissed(warden: Warden, signal: AbortSignal): Promise<void> {
    const { cell } = warden;
    const seen = this.events.lastExitSeq(cell);
    for (const event of await warden.exitsSince(seen, signal)) this.tellExit(cell, event);
  }

  /** @param kills since the cell was allocated: the count only rises */
  tellOom(cell: CellName, kills: number): void {
    if (kills > this.events.lastOomKills(cell)) this.events.emit({ kind: "oom", kills }, cell);
  }

  private handle({ warden: { cell }, units }: AllocatedCell, event: WardenEvent): void {
    switch (event.kind) {
      case "exit":
        this.tellExit(cell, event);
        units.get(event.unit)?.exited(event.pid, event.exit);
        return;
      case "ready":
        units.get(event.unit)?.notified(event.pid);
        return;
      case "status":
        units.get(event.unit)?.setStatus(event.text, event.pid);
        return;
      case "oom":
        this.tellOom(cell, event.kills);
        return;
      case "pressure":
        this.events.emit(event, cell);
        return;
      case "lost":
        this.cells.lose(cell);
        this.events.emit(
          { kind: "cell-state", state: "unsupervised", reason: "its warden is gone" },
          cell,
        );
        return;
    }
  }

  private tellExit(
    cell: CellName,
    { unit, pid, exit, seq }: Extract<WardenEvent, { kind: "exit" }>,
  ): void {
    if (seq <= this.events.lastExitSeq(cell)) return;
    this.events.emit({ kind: "unit-exit", unit, pid, exit, wardenSeq: seq }, cell);
  }
}
