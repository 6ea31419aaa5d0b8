// The three levels of a finding. Only what is not ok says what to do.

import type { Finding } from "../port.js";

export function ok(check: string, text: string): Finding {
  return { check, level: "ok", text };
}

/** Henge runs, with less. */
export function degraded(check: string, text: string, hint: string): Finding {
  return { check, level: "degraded", text, hint };
}

/** Henge cannot run here, or not what it was given to run. */
export function unfit(check: string, text: string, hint: string): Finding {
  return { check, level: "unfit", text, hint };
}
