// What the core asks of the doctor: what this host lacks, and what to do about it.

import type { CellName, PublishSpec } from "../spec/index.js";

/** One line of `henge doctor`. */
export interface Finding {
  readonly check: string;
  readonly level: "ok" | "degraded" | "unfit";
  readonly text: string;
  /** What to do about it; absent when ok. */
  readonly hint?: string;
}

/** A port a manifest on record publishes. */
export interface PublishedPort extends PublishSpec {
  readonly cell: CellName;
  /** Henge's own rules lead it to the cell. */
  readonly isHeld: boolean;
}

export interface Doctor {
  /** Answers within seconds, also on a host whose pool or tools hang. */
  findings(published: readonly PublishedPort[]): Promise<readonly Finding[]>;
}
