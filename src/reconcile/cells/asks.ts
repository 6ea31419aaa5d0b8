// What a supervisor asks of its warden, and what it tells everybody.

import type { CellName, UnitName, UnitSpec, UnitState } from "../../spec/index.js";
import type { StartedUnit, Warden } from "../../warden/port.js";

import type { Clock } from "../clock.js";
import { withDeadline } from "../clock.js";
import type { Events } from "../events.js";
import type { Runs } from "./runs.js";

/** A warden answers when the program runs; one that hangs is given up. */
export const START_DEADLINE_MS = 10_000;

export function askToStart(
  clock: Clock,
  warden: Warden,
  spec: UnitSpec,
  where: "alone" | "beside",
  restarts: number,
): Promise<StartedUnit> {
  if (where === "alone")
    return withDeadline(clock, START_DEADLINE_MS, (signal) => warden.start(spec, signal, restarts));
  // Whoever gives up before the warden does would have a run nobody knows of.
  const patienceMs = Math.max(START_DEADLINE_MS, spec.startTimeoutMs);
  return withDeadline(clock, patienceMs, (signal) => warden.startBeside(spec, signal, restarts));
}

// Beyond the stop steps' own waits: the kernel kills what is left, and the pool may be slow to take its last writes.
const STOP_MARGIN_MS = 30_000;

export function stopDeadlineMs({ stop }: UnitSpec): number {
  const waits = stop.map((step) => (step.kind === "wait" ? step.ms : 0));
  return waits.reduce((sum, ms) => sum + ms, STOP_MARGIN_MS);
}

/** @param run undefined: every run there is */
export async function askToStop(
  clock: Clock,
  warden: Warden,
  unit: UnitName,
  run: Runs["inCharge"] | undefined,
): Promise<void> {
  await withDeadline(clock, START_DEADLINE_MS, async (signal) => {
    if (run === undefined) await warden.stop(unit, signal);
    else if (run.pid !== undefined) await warden.stopRun(unit, run.pid, signal);
  });
}

export function tellState(
  events: Pick<Events, "emit">,
  cell: CellName,
  unit: UnitName,
  seen: {
    readonly state: UnitState;
    readonly reason?: string;
    readonly pid?: number | undefined;
  },
): void {
  const { state, reason, pid } = seen;
  events.emit(
    {
      kind: "unit-state",
      unit,
      state,
      ...(pid === undefined ? {} : { pid }),
      ...(reason === undefined ? {} : { reason }),
    },
    cell,
  );
}
