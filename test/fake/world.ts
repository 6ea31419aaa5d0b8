// The cells that wardens in memory keep, and what befalls them: ends, readiness, pressure, the loss of a warden.

import type {
  BoundarySpec,
  CellName,
  ExitStatus,
  PressureFact,
  UnitName,
} from "../../src/spec/index.js";
import type {
  ExecRequest,
  Lack,
  WardenEvent,
  WardenRun,
  WardenUnit,
} from "../../src/warden/port.js";

export type ExitEvent = Extract<WardenEvent, { kind: "exit" }>;

export interface FakeCell {
  readonly name: CellName;
  readonly boundary: BoundarySpec;
  readonly uidBase: number;
  readonly initPid: number;
  readonly units: Map<UnitName, WardenUnit>;
  readonly exits: ExitEvent[];
  oomKills: number;
  listeners: ((event: WardenEvent) => void)[];
  lost: boolean;
}

export class FakeWorld {
  readonly cells = new Map<CellName, FakeCell>();
  /** Every start and stop, as `start CELL:UNIT`. */
  readonly journal: string[] = [];
  /** One-shot programs that end with 1. */
  readonly failing = new Set(["/fails"]);
  readonly execs: ExecRequest[] = [];
  /** By cell, what its root would refuse. */
  readonly foreseen = new Map<CellName, readonly Lack[]>();
  private readonly monotonicMs: () => number;
  private readonly bornMs = new Map<number, number>();
  private nextPid = 1_000;
  private nextSeq = 0;

  constructor(monotonicMs: () => number = () => 0) {
    this.monotonicMs = monotonicMs;
  }

  pid(): number {
    this.bornMs.set(this.nextPid, this.monotonicMs());
    return this.nextPid++;
  }

  /** The run as its warden tells it now. */
  aged<R extends WardenRun>(run: R): R {
    const bornMs = run.pid === undefined ? undefined : this.bornMs.get(run.pid);
    return bornMs === undefined ? run : { ...run, ranForMs: this.monotonicMs() - bornMs };
  }

  /** The unit's main process ends by itself; of two that of `pid`. */
  end(cell: string, unit: string, exit: Omit<ExitStatus, "atMs">, of?: number): void {
    const found = this.cells.get(cell as CellName);
    const known = found?.units.get(unit as UnitName);
    const pid = of ?? known?.pid;
    if (found === undefined || known === undefined || pid === undefined)
      throw new Error(`${cell}:${unit} does not run`);
    const told = { ...exit, atMs: 0 };
    found.units.set(known.name, { ...without(known, pid), exit: told });
    const event: ExitEvent = {
      kind: "exit",
      unit: known.name,
      pid,
      exit: told,
      seq: ++this.nextSeq,
    };
    found.exits.push(event);
    for (const listener of [...found.listeners]) listener(event);
  }

  /** The kernel kills for want of memory: `kills` in all, and perhaps no daemon listens. */
  runOut(cell: string, kills: number): void {
    const found = this.cells.get(cell as CellName);
    if (found === undefined) throw new Error(`${cell} is not allocated`);
    found.oomKills = kills;
    for (const listener of [...found.listeners]) listener({ kind: "oom", kills });
  }

  press(cell: string, resource: PressureFact["resource"], avg10: number): void {
    for (const listener of this.cells.get(cell as CellName)?.listeners ?? [])
      listener({ kind: "pressure", resource, avg10 });
  }

  /** `kill -9` of a warden. */
  lose(cell: string): void {
    const found = this.cells.get(cell as CellName);
    if (found === undefined) throw new Error(`${cell} is not allocated`);
    found.lost = true;
    for (const listener of [...found.listeners]) listener({ kind: "lost" });
  }

  /** READY=1 of the unit's youngest run. */
  ready(cell: string, unit: string): void {
    const found = this.cells.get(cell as CellName);
    const known = found?.units.get(unit as UnitName);
    if (found === undefined || known === undefined) throw new Error(`no ${cell}:${unit}`);
    const { successor, ...first } = known;
    found.units.set(
      known.name,
      successor === undefined
        ? { ...first, notified: true }
        : { ...first, successor: { ...successor, notified: true } },
    );
    const { pid = 0 } = successor ?? first;
    for (const listener of [...found.listeners]) listener({ kind: "ready", unit: known.name, pid });
  }

  /** Of the oldest run first. */
  pidsOf(cell: string, unit: string): readonly number[] {
    const known = this.cells.get(cell as CellName)?.units.get(unit as UnitName);
    return [known?.pid, known?.successor?.pid].filter((pid) => pid !== undefined);
  }

  pidOf(cell: string, unit: string): number | undefined {
    return this.cells.get(cell as CellName)?.units.get(unit as UnitName)?.pid;
  }
}

/** What is left of a unit when the run of this pid has ended. */
function without(unit: WardenUnit, ended: number): WardenUnit {
  const { successor, pid, startedAtMs: _, ...rest } = unit;
  if (successor === undefined) return { ...rest, running: false, stopping: false, notified: false };
  if (pid === ended) return { name: unit.name, starts: unit.starts, ...successor };
  const { successor: _gone, ...first } = unit;
  return first;
}
