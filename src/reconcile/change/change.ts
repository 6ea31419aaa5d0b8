// One change of one monolith on its way: what every step of the pipeline is given.

import type { MonolithName, Observed, Step } from "../../spec/index.js";

import type { Context } from "../context.js";
import type { Report } from "../control.js";

export interface Change {
  readonly context: Context;
  readonly verb: string;
  readonly monolith: MonolithName;
  readonly report: Report;
  /** Ends it between two steps. */
  readonly signal: AbortSignal;
  /** Writes down how far it is, with what the next daemon needs to go on or back; on the disk when it resolves. */
  readonly commit: (phase: string, kept: unknown) => Promise<void>;
}

export interface Planned {
  readonly observed: Observed;
  readonly steps: readonly Step[];
}

export function note({ report }: Pick<Change, "report">, text: string): void {
  report({ kind: "note", text });
}
