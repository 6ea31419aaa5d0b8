// Everything the reconciler needs from the outside, as ports; main.ts wires the real ones.

import type { Doctor } from "../doctor/port.js";
import type { CgroupPort, HoldStill, HostPort } from "../kernel/port.js";
import type { NetworkPort } from "../network/port.js";
import type { RootFiles } from "../root-files.js";
import type { ImageSpec } from "../spec/index.js";
import type { Storage } from "../storage/port.js";
import type { Audit } from "../store/audit.js";
import type { HaltMark } from "../store/halt-mark.js";
import type { MonolithStore } from "../store/monoliths.js";
import type { OperationStore } from "../store/operations.js";
import type { WardenPort } from "../warden/port.js";

import type { Clock } from "./clock.js";
import type { LogCursor, LogLine, LogQuery } from "./control.js";
import type { Events } from "./events.js";

export interface Ports extends Storage {
  readonly cgroups: CgroupPort;
  readonly holdStill: HoldStill;
  readonly host: HostPort;
  readonly doctor: Doctor;
  readonly network: NetworkPort;
  readonly wardens: WardenPort;
  readonly store: MonolithStore;
  readonly operations: OperationStore;
  readonly haltMark: HaltMark;
  readonly audit: Audit;
  readonly events: Events;
  readonly clock: Clock;
  /** How long a unit without a readiness probe must have lived to count as up. */
  readonly settleMs: number;
  /** From 0 to less than 1. */
  readonly random: () => number;
  readonly readLogs: (
    sources: readonly {
      readonly cell: LogLine["cell"];
      readonly unit: LogLine["unit"];
      readonly directory: string;
    }[],
    range: Omit<LogQuery, "target">,
    signal: AbortSignal,
  ) => AsyncIterable<LogLine | LogCursor>;
  /** @throws {HengeError} WRONG_STATE: it cannot be used */
  readonly readSettings: (path: string, holds?: "settings" | "anything") => Promise<string>;
  /** @throws {HengeError} MANIFEST_INVALID: there is none that could be an image's */
  readonly readArchiveDigest: (
    image: Pick<ImageSpec, "name" | "archive">,
    signal: AbortSignal,
  ) => Promise<string>;
  /**
   * What is in an archive.
   * @throws {HengeError} MANIFEST_INVALID: it holds no root filesystem
   */
  readonly readArchiveFiles: (
    image: Pick<ImageSpec, "name" | "archive">,
    signal: AbortSignal,
  ) => Promise<RootFiles>;
  /** An error nobody waits for: told to the operator's log. */
  readonly warn: (text: string, error: unknown) => void;
  /** Directories of the daemon no cell may see. */
  readonly hidden: readonly string[];
  /** Empty for the default root, else hex digits. */
  readonly rootKey: string;
  readonly version: string;
}
