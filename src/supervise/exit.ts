// What an exit status means under a unit's rules.

import type { ExitStatus, SignalName, UnitSpec } from "../spec/index.js";

/** Whether the unit counts this end as success. */
export function isCleanExit(spec: UnitSpec, { code, signal }: ExitStatus): boolean {
  return spec.cleanExits.some((clean) => clean === code || clean === (signal as SignalName));
}

/** e.g. `exit 1`, `SIGKILL`. */
export function describeExit({ code, signal }: ExitStatus): string {
  return signal ?? (code === undefined ? "end unknown" : `exit ${String(code)}`);
}
