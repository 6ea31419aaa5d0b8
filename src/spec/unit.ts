// One supervised process of a cell: how it is started, known to be ready, restarted and stopped, and where it logs.

import type { CellName, UnitName } from "./names.js";

export interface UnitRef {
  readonly cell: CellName;
  readonly unit: UnitName;
}

export interface UnitSpec {
  readonly name: UnitName;
  /** Runs to its end once; done when it exits clean. */
  readonly oneShot: boolean;
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Absolute paths inside the cell, read at start; later ones win over earlier, `env` wins over all. */
  readonly envFiles: readonly string[];
  /** Name in the cell's /etc/passwd, or a number 0..65535. */
  readonly user: string;
  readonly readiness: ProbeSpec | { readonly kind: "none" } | { readonly kind: "notify" };
  readonly readinessIntervalMs: number;
  /** From start to ready (or, for a one-shot, to its end); then the start counts as failed. */
  readonly startTimeoutMs: number;
  readonly liveness?: LivenessSpec;
  readonly health?: HealthSpec;
  /** Started only when each of these is ready, or done when it is a one-shot. */
  readonly after: readonly UnitRef[];
  readonly restart: RestartSpec;
  readonly stop: readonly StopStep[];
  /** Exit codes and signals that count as success, e.g. [0, "SIGTERM"]. */
  readonly cleanExits: readonly (number | SignalName)[];
  /** Sockets the warden holds and passes from descriptor 3 on (LISTEN_FDS, sd_listen_fds(3)). */
  readonly listen: readonly ListenSpec[];
  /** Restarted by a new run beside the old one, which ends once the new one is ready. Absent: stopped, then started. */
  readonly handover?: true;
  /** RLIMIT_NOFILE, soft and hard. */
  readonly nofile?: number;
  readonly log: LogSpec;
  /** Absolute paths in the cell of unix sockets a run may have left: removed before each start. Absent when there are none. */
  readonly staleSockets?: readonly string[];
}

export type ProbeSpec =
  | { readonly kind: "exec"; readonly argv: readonly string[]; readonly timeoutMs: number }
  | { readonly kind: "tcp"; readonly port: number; readonly timeoutMs: number }
  | {
      readonly kind: "http";
      readonly port: number;
      readonly path: string;
      readonly headers: Readonly<Record<string, string>>;
      /** Accepted status codes; empty means 200..399. */
      readonly status: readonly number[];
      readonly timeoutMs: number;
    };

export interface LivenessSpec {
  readonly probe: ProbeSpec;
  readonly intervalMs: number;
  /** Failures in a row after which the unit is restarted. */
  readonly failures: number;
}

export interface HealthSpec {
  readonly probe: ProbeSpec;
  readonly intervalMs: number;
  /** Failures in a row after which the unit is shown as degraded; it is never restarted for them. */
  readonly failures: number;
}

export interface RestartSpec {
  /** `always`: any exit that was not asked for; `on-failure`: only one that is not clean. */
  readonly policy: "always" | "on-failure" | "never";
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  /** Up this long, the back-off starts anew. */
  readonly resetAfterMs: number;
  /** Failed starts in a row after which the unit is shown as in a crash loop; it is still retried at backoffMaxMs. */
  readonly crashLoopAfter: number;
  /** Where several units are restarted at once, it has a turn of its own, after a pause of up to this. */
  readonly staggerMs?: number;
}

export type SignalName = `SIG${string}`;

/** The kernel kills what is left of the unit's cgroup after the last step, always. */
export type StopStep =
  | { readonly kind: "signal"; readonly signal: SignalName }
  /** Waits at most this long for the main process to end; the steps end early when it has. */
  | { readonly kind: "wait"; readonly ms: number };

export interface ListenSpec {
  readonly name: string;
  /** IPv4 address in the cell's network namespace. */
  readonly address: string;
  readonly port: number;
}

export interface LogSpec {
  /** A log file is rotated when it would grow beyond this. */
  readonly maxBytes: number;
  /** Rotated files kept beside the current one. */
  readonly keep: number;
}
