// The audit trail: who asked for what, on the disk before it is done.

import { open } from "node:fs/promises";

import { KernelError, errnoOf } from "../errors.js";

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

export async function openAudit(path: string): Promise<Audit> {
  const file = await open(path, "a", 0o600);
  return {
    async append(entry) {
      try {
        await file.appendFile(`${JSON.stringify(entry)}\n`);
        if (entry.result === undefined) await file.datasync();
      } catch (error) {
        throw new KernelError("write the audit trail", errnoOf(error), { cause: error, path });
      }
    },
    close: () => file.close(),
  };
}
