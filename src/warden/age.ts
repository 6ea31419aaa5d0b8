// How long the processes of a warden's answer have run. The kernel counts it from the boot, so that a wall clock that was
// set meanwhile, by hand or by NTP, makes none of them older or younger; the warden's own stamps are for people.

import { readFile } from "node:fs/promises";

import type { WardenRun, WardenState } from "./port.js";
import { readStart } from "./record.js";

/** USER_HZ, the unit of field 22 of /proc/PID/stat: 100 on every architecture Henge is built for. */
const TICKS_PER_SECOND = 100;

export async function withAges(state: WardenState): Promise<WardenState> {
  if (state.units.every(({ running }) => !running)) return state;
  const upMs = await readUptimeMs();
  const units = await Promise.all(
    state.units.map(async ({ successor, ...unit }) => ({
      ...(await withAge(unit, upMs)),
      ...(successor === undefined ? {} : { successor: await withAge(successor, upMs) }),
    })),
  );
  return { ...state, units };
}

async function withAge<R extends WardenRun>(run: R, upMs: number): Promise<R> {
  if (!run.running || run.pid === undefined) return run;
  const ticks = await readStart(run.pid);
  if (ticks === undefined) return run;
  return { ...run, ranForMs: Math.max(0, upMs - (Number(ticks) * 1000) / TICKS_PER_SECOND) };
}

async function readUptimeMs(): Promise<number> {
  const [seconds = ""] = (await readFile("/proc/uptime", "utf8")).split(" ");
  return Number(seconds) * 1000;
}
