// The audit trail: who asked for what, on the disk before it is done.

import { HengeError, KernelError, errnoOf } from "../errors.js";
import { openLineLog } from "./line-log.js";

export interface AuditEntry {
  readonly atMs: number;
  readonly requestId: string;
  readonly verb: string;
  readonly target: string;
  /** Absent before the act; `ok` or an error code after it. */
  readonly result?: string;
}

export interface Audit {
  /** Resolves when the line of an act to come is on the disk (fdatasync(2)); its result follows when the disk likes. */
  append(entry: AuditEntry): Promise<void>;
  close(): Promise<void>;
}

const MAX_BYTES = 8 * 1024 * 1024;
/** Some 150,000 changes. */
const KEEP = 3;

/** @param path rotated to FILE.1 … FILE.3 */
export async function openAudit(path: string, maxBytes: number = MAX_BYTES): Promise<Audit> {
  const lines = await openLineLog({ path, maxBytes, keep: KEEP });
  return {
    async append(entry) {
      try {
        await lines.append(JSON.stringify(entry), entry.result === undefined);
      } catch (error) {
        if (error instanceof HengeError) throw error;
        throw new KernelError("write the audit trail", errnoOf(error), { cause: error, path });
      }
    },
    close: () => lines.close(),
  };
}
