// A unit without a readiness probe counts as up once it has lived for a moment: a program that dies at once was never up.

import { HengeError } from "../../errors.js";
import { unitKey } from "../../plan/index.js";
import type { Step, UnitRef } from "../../spec/index.js";

import { UP } from "../cells/waiters.js";
import { pause } from "../clock.js";
import type { Context } from "../context.js";

/**
 * Waits for the units these steps have started blind, all at once.
 * @throws {HengeError} WRONG_STATE: one of them is no longer up
 */
export async function settle(
  context: Context,
  steps: readonly Step[],
  signal: AbortSignal,
): Promise<void> {
  const blind = steps.flatMap((step) =>
    step.kind === "start" && step.spec.readiness.kind === "none" && !step.spec.oneShot
      ? [{ cell: step.cell, unit: step.unit }]
      : [],
  );
  if (blind.length === 0) return;
  const { clock, settleMs } = context.ports;
  const before = new Map(blind.map((ref) => [unitKey(ref), startsOf(context, ref)]));
  if (settleMs > 0) await pause(clock, settleMs, signal);
  signal.throwIfAborted();
  for (const ref of blind) {
    const status = context.cells.get(ref.cell)?.units.get(ref.unit)?.status();
    const key = unitKey(ref);
    if (status === undefined) continue;
    const lives = UP.has(status.state) && before.get(key) === startsOf(context, ref);
    if (lives) continue;
    const why = `${status.state}${status.reason === undefined ? "" : `, ${status.reason}`}`;
    throw new HengeError("WRONG_STATE", `cannot bring up ${key}: it did not stay up: ${why}`, {
      hint: `henge logs ${key} --tail 50 shows what it said`,
    });
  }
}

function startsOf({ cells }: Context, { cell, unit }: UnitRef): string {
  const status = cells.get(cell)?.units.get(unit)?.status();
  return `${String(status?.pid)} ${String(status?.restarts)}`;
}
