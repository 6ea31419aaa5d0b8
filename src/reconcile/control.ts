// What the API may ask of the daemon. The one implementation is the reconciler; api/ tests use a fake of this.

import type { Finding } from "../doctor/port.js";
import type { EventQuery } from "./events.js";
import type { ExecSession } from "../warden/port.js";
import type {
  BudgetRow,
  CellName,
  CellStatus,
  Event,
  MonolithName,
  Operation,
  PublishSpec,
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
}

export interface Plan {
  readonly steps: readonly Step[];
  readonly budgets: readonly BudgetRow[];
}

export type Report = (progress: Progress) => void;

export type Progress =
  /** First of all, to whoever follows. */
  | { readonly kind: "operation"; readonly operation: Operation }
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

/** Where a reader of a unit's log is; what it looks like is the log's affair. */
export interface LogCursor {
  readonly cell: CellName;
  readonly unit: UnitName;
  readonly cursor: string;
}

/** The cursor is that of a reader who has read it. */
export interface LogLine extends LogCursor {
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
  /** These units go on after their cursors, whatever else is asked. */
  readonly after?: readonly LogCursor[];
}

export interface ExecOptions {
  readonly target: Target;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly cwd?: string;
  readonly tty?: { readonly rows: number; readonly columns: number };
  /** Counted in the budgets of the target's unit, and told in the audit trail with its end. */
  readonly oneOff?: { readonly requestId: string; readonly caller: string };
}

export interface VersionInfo {
  readonly version: string;
  readonly pid: number;
  readonly startedAtMs: number;
}

/** What changes one monolith, or all of them. */
export type Request =
  | {
      readonly verb: "up" | "upgrade";
      readonly source: ManifestSource;
      readonly allowMissingControllers: boolean;
    }
  | { readonly verb: "start" | "stop" | "restart"; readonly target: Target }
  | { readonly verb: "freeze" | "thaw"; readonly cell: CellName }
  /** Stops and frees a monolith and forgets its manifest; destroys its volumes only when asked. */
  | { readonly verb: "down"; readonly cell: CellName; readonly destroyData: boolean }
  | { readonly verb: "halt" | "resume" }
  /** Of all volumes of a monolith, in one instant; a rollback is of a monolith nothing of which runs. */
  | {
      readonly verb: "snapshot" | "destroy-snapshot" | "rollback";
      readonly cell: CellName;
      readonly name: SnapshotName;
    }
  | {
      readonly verb: "clone";
      readonly cell: CellName;
      readonly snapshot: SnapshotName;
      readonly name: MonolithName;
      /** In the place of the original's; chosen among what is free when empty. */
      readonly publish: readonly PublishSpec[];
    }
  /** The daemon's own: what is desired and missing comes up. */
  | { readonly verb: "converge"; readonly monolith: MonolithName };

export type VerbName = Request["verb"];
type Of<One, Name> = One extends { readonly verb: infer Verbs }
  ? Name extends Verbs
    ? One
    : never
  : never;
export type RequestOf<Name extends VerbName> = Of<Request, Name>;

/** A request on its way in. */
export interface Call {
  /** The same id with the same request again is the same operation, and nothing is done twice. */
  readonly id: string;
  readonly request: Request;
  /** Who asks, as their client says. */
  readonly caller: string;
  /** The operation is ended between two steps when it takes longer. */
  readonly timeoutMs?: number;
  readonly report: Report;
  /** Aborts when the caller waits no longer; the operation goes on. */
  readonly signal: AbortSignal;
}

/** Verbs on a target reach the cells nested in it too. All reject with HengeError. */
export interface Control {
  validate(source: ManifestSource): Promise<void>;
  plan(source: ManifestSource, options: ApplyOptions): Promise<Plan>;
  /** Returns when the operation has ended and what it wants up is ready or done; or when the caller waits no longer. */
  change(call: Call): Promise<void>;
  /** Oldest first. */
  operations(): readonly Operation[];
  /** @throws {HengeError} OPERATION_NOT_FOUND · WRONG_STATE: its record cannot be read */
  operation(id: string): Operation;
  /** As `change` of an operation that was begun before. */
  follow(id: string, report: Report, signal: AbortSignal): Promise<void>;
  /** Ends an operation between two steps; returns at once. */
  cancel(id: string, caller: string): void;
  list(): Promise<readonly CellStatus[]>;
  get(cell: CellName): Promise<CellStatus>;
  /** Oldest first. */
  snapshots(cell: CellName): Promise<readonly SnapshotStatus[]>;
  /** With `follow`, a cursor of each unit comes between the lines that are on file and those that come. */
  logs(query: LogQuery, signal: AbortSignal): AsyncIterable<LogLine | LogCursor>;
  /** Past events later than `sinceSeq`, then, with follow, new ones. */
  events(query: EventQuery, signal: AbortSignal): AsyncIterable<Event>;
  exec(options: ExecOptions, signal: AbortSignal): Promise<ExecSession>;
  doctor(): Promise<readonly Finding[]>;
  version(): VersionInfo;
}
