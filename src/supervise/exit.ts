// What an exit status means under a unit's rules.

import type { ExitStatus, SignalName, UnitSpec } from "../spec/index.js";

/** Whether the unit counts this end as success. */
export function isCleanExit(spec: UnitSpec, { code, signal }: ExitStatus): boolean {
  return spec.cleanExits.some((clean) => clean === code || clean === (signal as SignalName));
}

/** e.g. `exit 1`, `SIGKILL`, `out of memory`. */
export function describeExit({ code, signal, outOfMemory }: ExitStatus): string {
  if (outOfMemory === true) return "out of memory";
  return signal ?? (code === undefined ? "end unknown" : `exit ${String(code)}`);
}
