// What the core asks of wardens. One warden is parent and witness of one cell, and outlives the daemon.

import type { Duplex } from "node:stream";

import type { RootFiles } from "../root-files.js";
import type {
  BoundarySpec,
  CellName,
  CellSpec,
  ExitStatus,
  MountSource,
  PressureFact,
  UnitName,
  UnitSpec,
} from "../spec/index.js";

export interface AllocateRequest {
  readonly cell: CellName;
  /** Kept by the warden as it is and told again to the next daemon. */
  readonly boundary: BoundarySpec;
  /** First host uid (and gid) of the cell's 65,536. */
  readonly uidBase: number;
  /** Absolute, exist already: the cell's cgroup and the warden's own leaf. */
  readonly cgroup: string;
  readonly wardenCgroup: string;
  /** Controllers to enable for the cell's leaves, e.g. ["memory", "pids"]. */
  readonly controllers: readonly string[];
  readonly root: "host" | MountSource;
  /** In the order of boundary.mounts. */
  readonly mountSources: readonly MountSource[];
  /** Directories of the host hidden in a cell whose root is the host's. */
  readonly hidden: readonly string[];
  /** The process whose network namespace the cell joins; absent for own and host. */
  readonly networkOf?: number;
}

/** One run of a unit: the one there is, or the last there was. */
export interface WardenRun {
  readonly spec: UnitSpec;
  /** As it was started with; 0 of a run that an older daemon started. */
  readonly restarts: number;
  readonly running: boolean;
  readonly stopping: boolean;
  /** READY=1 was received (sd_notify(3)), in this run. */
  readonly notified: boolean;
  readonly pid?: number;
  readonly startedAtMs?: number;
  /** How long its process has run when it was asked, by a clock nobody can set; absent when it has ended. */
  readonly ranForMs?: number;
  /** STATUS= of sd_notify(3). */
  readonly statusText?: string;
}

export interface WardenUnit extends WardenRun {
  readonly name: UnitName;
  /** Times it was started in this allocation. */
  readonly starts: number;
  /** Of the run that ended last. */
  readonly exit?: ExitStatus;
  /** The run that was started beside this one, and runs too. */
  readonly successor?: WardenRun;
}

export interface StartedUnit {
  /** Of its main process, as the host sees it. */
  readonly pid: number;
  readonly startedAtMs: number;
}

export interface WardenState {
  readonly cell: CellName;
  readonly wardenPid: number;
  /** PID 1 of the cell, as the host sees it. */
  readonly initPid: number;
  readonly uidBase: number;
  readonly boundary: BoundarySpec;
  /** Processes killed for want of memory since the cell was allocated; absent where nobody counts them. */
  readonly oomKills?: number;
  readonly units: readonly WardenUnit[];
}

export type WardenEvent =
  | {
      readonly kind: "exit";
      readonly unit: UnitName;
      readonly pid: number;
      readonly exit: ExitStatus;
      readonly seq: number;
    }
  /** `pid` is absent where a warden of an older version tells it: it knows one run of a unit only. */
  | { readonly kind: "ready"; readonly unit: UnitName; readonly pid?: number }
  | {
      readonly kind: "status";
      readonly unit: UnitName;
      readonly text: string;
      readonly pid?: number;
    }
  /** Memory ran out: processes the kernel has killed in the cell and the cells nested in it, since it was allocated. */
  | { readonly kind: "oom"; readonly kills: number }
  | PressureFact
  /** The connection ended though nobody asked: the warden is gone. */
  | { readonly kind: "lost" };

export interface Warden {
  readonly cell: CellName;
  readonly wardenPid: number;
  readonly initPid: number;
  /** Asks the warden; never remembered. */
  state(signal: AbortSignal): Promise<WardenState>;
  /** Exits later than `seq`, oldest first; 0 for all it still has on disk. */
  exitsSince(
    seq: number,
    signal: AbortSignal,
  ): Promise<readonly Extract<WardenEvent, { kind: "exit" }>[]>;
  /**
   * Returns when exec(2) has happened.
   * @param restarts kept by the warden with the run; 0 when absent
   * @throws {KernelError} op, errno and path of what failed in the child
   */
  start(unit: UnitSpec, signal: AbortSignal, restarts?: number): Promise<StartedUnit>;
  /**
   * As `start`, beside the one run the unit has, whose listening sockets it gets as well.
   * @throws {KernelError} EINVAL of `beside`: a warden of an older version; of `listen`: other sockets
   */
  startBeside(unit: UnitSpec, signal: AbortSignal, restarts?: number): Promise<StartedUnit>;
  /** Begins the stop steps every run of the unit was started with; exit events tell their ends. */
  stop(unit: UnitName, signal: AbortSignal): Promise<void>;
  /** The same for the run of this pid alone. */
  stopRun(unit: UnitName, pid: number, signal: AbortSignal): Promise<void>;
  /** Runs argv in the cell with the environment, user and directory of `unit`, in a leaf of its own. */
  exec(request: ExecRequest, signal: AbortSignal): Promise<ExecSession>;
  /** A TCP connection made inside the cell's network namespace. */
  dial(port: number, signal: AbortSignal): Promise<Duplex>;
  /**
   * Kills all that runs and ends the boundary. The cell's cgroup, empty now, is left to the daemon. The warden ends too, a
   * moment later: its leaf may still hold it.
   */
  free(signal: AbortSignal): Promise<void>;
  onEvent(listener: (event: WardenEvent) => void): void;
  /** Lets go of the connection; the warden lives on. */
  close(): void;
}

export interface ExecRequest {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly envFiles: readonly string[];
  readonly cwd: string;
  readonly user: string;
  readonly tty?: { readonly rows: number; readonly columns: number };
}

export interface ExecSession {
  /** Bytes from the process; with a tty all of it is stdout. */
  onOutput(listener: (stream: "stdout" | "stderr", chunk: Buffer) => void): void;
  /** The process waits when it has more to say, until `resume`. */
  pause(): void;
  resume(): void;
  /** False when the caller should wait for `onDrain`. */
  write(chunk: Buffer): boolean;
  onDrain(listener: () => void): void;
  /** End of its standard input. */
  end(): void;
  resize(rows: number, columns: number): void;
  /** Resolves when it has ended and its leaf is empty. Killed when the signal given to exec aborts. */
  readonly exit: Promise<ExitStatus>;
}

/** What is asked before a cell or its units are changed. */
export interface Foresight {
  /** What is, or will be, the cell's root. */
  readonly root: "host" | RootFiles;
  readonly cell: CellSpec;
  /** Those to be started. */
  readonly units: readonly UnitSpec[];
  /** The cell is to be allocated. */
  readonly isNew: boolean;
}

/** A field of the manifest that the root cannot meet. */
export interface Lack {
  /** Absent: it is the cell's. */
  readonly unit?: UnitName;
  /** Below the unit, or the cell, e.g. `["argv", 0]`. */
  readonly path: readonly (string | number)[];
  readonly text: string;
}

export interface WardenPort {
  /**
   * What a warden would refuse it for, by what the root holds.
   * @throws {KernelError} the root cannot be looked at, or the cell's name is too long for its socket's path
   */
  foresee(what: Foresight): Promise<readonly Lack[]>;
  /** @throws {KernelError} op, errno and path of the step that failed; then nothing is left behind */
  allocate(request: AllocateRequest, signal: AbortSignal): Promise<Warden>;
  /**
   * Every warden that still runs, reconnected. Compares boot id, pid and start time before it believes a record. Removes
   * the empty directories of those that are gone in order.
   */
  adopt(signal: AbortSignal): Promise<readonly Warden[]>;
  /** Records of cells whose warden is gone; the caller kills their cgroups, then forgets them. */
  listLost(): Promise<readonly CellName[]>;
  /** Removes the run-time record of a cell whose warden is gone. Logs and exit records stay. */
  forget(cell: CellName): Promise<void>;
  /** Absolute directory of a cell's log files: `UNIT.log`, rotated `UNIT.log.1` … */
  logDirectoryOf(cell: CellName): string;
}
