// What is seen of the runs of one unit: of the one in charge, and of one beside it while it hands over to the other.

import { KernelError } from "../../errors.js";
import type { ExitStatus, UnitSpec } from "../../spec/index.js";
import type { UnitLife } from "../../supervise/index.js";
import type { StartedUnit, WardenRun, WardenUnit } from "../../warden/port.js";

type Run = Pick<WardenRun, "pid" | "startedAtMs" | "statusText">;

export class Runs {
  inCharge: Run = {};
  beside: Run = {};
  /** Of the run that ended last. */
  exit: ExitStatus | undefined;

  take(unit: WardenUnit): void {
    this.inCharge = seenOf(unit);
    this.beside = unit.successor === undefined ? {} : seenOf(unit.successor);
    this.exit = unit.exit;
  }

  /** The warden has answered. */
  started(started: StartedUnit, where: "alone" | "beside", { beside, phase }: UnitLife): void {
    if (beside?.kind === "launching") this.beside = { ...this.beside, ...started };
    else if (phase.kind === "launching") this.inCharge = { ...this.inCharge, ...started };
    // A short life: its end has overtaken this answer.
    else if (where === "alone")
      this.inCharge = { startedAtMs: started.startedAtMs, ...this.inCharge };
  }

  swap(): void {
    [this.inCharge, this.beside] = [this.beside, this.inCharge];
  }

  /** Whether a process is that of the run beside; what it does may overtake the answer that tells its pid. */
  isBeside(pid: number | undefined, life: UnitLife): boolean {
    if (pid === undefined || life.beside === undefined || pid === this.inCharge.pid) return false;
    return this.beside.pid === undefined || this.beside.pid === pid;
  }

  /** Likewise of the one in charge; false of a run that nobody knows any more. */
  isInCharge(pid: number | undefined): boolean {
    const { pid: known } = this.inCharge;
    return pid === undefined || known === undefined || known === pid;
  }

  /** The run in charge has ended. */
  ended(exit: ExitStatus): void {
    const { startedAtMs } = this.inCharge;
    this.exit = exit;
    this.inCharge = startedAtMs === undefined ? {} : { startedAtMs };
  }

  besideEnded(exit: ExitStatus): void {
    this.exit = exit;
    this.beside = {};
  }

  setStatus(statusText: string, pid: number | undefined, life: UnitLife): void {
    if (this.isBeside(pid, life)) this.beside = { ...this.beside, statusText };
    else this.inCharge = { ...this.inCharge, statusText };
  }
}

function seenOf({ pid, startedAtMs, statusText }: WardenRun): Run {
  return {
    ...(pid === undefined ? {} : { pid }),
    ...(startedAtMs === undefined ? {} : { startedAtMs }),
    ...(statusText === undefined ? {} : { statusText }),
  };
}

/** While it hands over, that of the next run: what is under way need not be planned. */
export function specToBe({ spec, beside }: UnitLife): UnitSpec {
  return beside?.kind === "launching" || beside?.kind === "starting" ? beside.spec : spec;
}

/** Why a run could not be started. */
export function startFailure(error: unknown): string {
  if (error instanceof KernelError && error.path === "beside")
    return "its cell was allocated by an older Henge; stop and start it instead";
  return error instanceof Error ? error.message : String(error);
}
