// What a file of settings on the host must say before a cell is shown it. Names only: its values are in no spec.

import type { CellName } from "./names.js";

export interface SettingsSpec {
  readonly cell: CellName;
  /** Absolute path of a file of NAME=VALUE lines, on the daemon's host. */
  readonly source: string;
  /** Names it must set, to something. */
  readonly keys: readonly string[];
  /** Names it must not set. */
  readonly without: readonly string[];
}
