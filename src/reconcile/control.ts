// What the API may ask of the daemon. The one implementation is the reconciler; api/ tests use a fake of this.

import type { Finding } from "../kernel/port.js";
import type { CloneOptions } from "./verbs/clone.js";
import type { ExecSession } from "../warden/port.js";
import type {
  BudgetRow,
  CellName,
  CellStatus,
  Event,
  SnapshotName,
  SnapshotStatus,
  Step,
  UnitName,
} from "../spec/index.js";

export interface ManifestSource {
  /** As the user named it, for messages. */
  readonly file: string;
  /** Absolute directory relative paths of the manifest start from. */
  readonly directory: string;
  readonly text: string;
}

export interface ApplyOptions {
  readonly allowMissingControllers: boolean;
  readonly requestId: string;
}

export interface Plan {
  readonly steps: readonly Step[];
  readonly budgets: readonly BudgetRow[];
}

export type Progress =
  /** The plan, before its first step. */
  | { readonly kind: "plan"; readonly steps: readonly Step[] }
  | { readonly kind: "begin"; readonly index: number; readonly step: Step }
  | { readonly kind: "end"; readonly index: number; readonly step: Step; readonly ms: number }
  | { readonly kind: "note"; readonly text: string };

/** A cell, or one unit of it. */
export interface Target {
  readonly cell: CellName;
  readonly unit?: UnitName;
}

export interface LogLine {
  readonly cell: CellName;
  readonly unit: UnitName;
  readonly atMs: number;
  readonly stream: "stdout" | "stderr" | "henge";
  readonly text: string;
}

export interface LogQuery {
  readonly target: Target;
  readonly follow: boolean;
  readonly sinceMs?: number;
  /** Last lines per unit; all when absent. */
  readonly tail?: number;
}

export interface ExecOptions {
  readonly target: Target;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly cwd?: string;
  readonly tty?: { readonly rows: number; readonly columns: number };
  /** Counted in the budgets of the target's unit, and told in the audit trail with its end. */
  readonly oneOff?: { readonly requestId: string };
}

export interface VersionInfo {
  readonly version: string;
  readonly pid: number;
  readonly startedAtMs: number;
}

/**
 * Verbs on a target reach the cells nested in it too. All reject with HengeError. The same `requestId` again returns the
 * first answer instead of acting twice.
 */
export interface Control {
  validate(source: ManifestSource): Promise<void>;
  plan(source: ManifestSource, options: ApplyOptions): Promise<Plan>;
  /** Returns when every unit is ready or done. */
  apply(
    source: ManifestSource,
    options: ApplyOptions,
    report: (progress: Progress) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** Returns when everything is ready on the new code, and the way back is closed; or brings the old code back. */
  upgrade(
    source: ManifestSource,
    options: ApplyOptions,
    report: (progress: Progress) => void,
    signal: AbortSignal,
  ): Promise<void>;
  list(): Promise<readonly CellStatus[]>;
  get(cell: CellName): Promise<CellStatus>;
  start(
    target: Target,
    requestId: string,
    report: (progress: Progress) => void,
    signal: AbortSignal,
  ): Promise<void>;
  stop(
    target: Target,
    requestId: string,
    report: (progress: Progress) => void,
    signal: AbortSignal,
  ): Promise<void>;
  restart(
    target: Target,
    requestId: string,
    report: (progress: Progress) => void,
    signal: AbortSignal,
  ): Promise<void>;
  freeze(cell: CellName, requestId: string, signal: AbortSignal): Promise<void>;
  thaw(cell: CellName, requestId: string, signal: AbortSignal): Promise<void>;
  /** Stops and frees a monolith and forgets its manifest; destroys its volumes only when asked. */
  free(
    cell: CellName,
    options: { readonly destroyData: boolean; readonly requestId: string },
    report: (progress: Progress) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** Stops and frees every monolith; nothing is started until `resume` or the next boot. What is desired stays. */
  halt(requestId: string, report: (progress: Progress) => void, signal: AbortSignal): Promise<void>;
  /** Returns before everything is up. */
  resume(requestId: string): Promise<void>;
  /** Of all volumes of a monolith, in one instant. */
  snapshot(
    cell: CellName,
    name: SnapshotName,
    requestId: string,
    signal: AbortSignal,
  ): Promise<SnapshotStatus>;
  /** Oldest first. */
  snapshots(cell: CellName): Promise<readonly SnapshotStatus[]>;
  destroySnapshot(
    cell: CellName,
    name: SnapshotName,
    requestId: string,
    signal: AbortSignal,
  ): Promise<void>;
  /** Of a monolith nothing of which runs; nothing is started. */
  rollBack(
    cell: CellName,
    name: SnapshotName,
    requestId: string,
    report: (progress: Progress) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** Returns when every unit of the clone is ready or done. */
  clone(
    options: CloneOptions,
    requestId: string,
    report: (progress: Progress) => void,
    signal: AbortSignal,
  ): Promise<void>;
  logs(query: LogQuery, signal: AbortSignal): AsyncIterable<LogLine>;
  /** Past events later than `sinceSeq`, then, with follow, new ones. */
  events(
    query: { readonly follow: boolean; readonly sinceSeq: number; readonly cell?: CellName },
    signal: AbortSignal,
  ): AsyncIterable<Event>;
  exec(options: ExecOptions, signal: AbortSignal): Promise<ExecSession>;
  doctor(): Promise<readonly Finding[]>;
  version(): VersionInfo;
}
