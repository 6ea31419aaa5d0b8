// The operations this daemon knows: those under way, with whoever follows them, and the last that have ended. A request
// that comes again under its id gets the operation there is, and nothing is done twice.

import { createHash } from "node:crypto";

import { HengeError } from "../../errors.js";
import type { MonolithName, Operation } from "../../spec/index.js";
import type { OperationRecord, OperationStore, StoredOperation } from "../../store/operations.js";

import type { Clock } from "../clock.js";
import { ActiveOperation } from "./operation.js";

/** Of those that have ended. */
const KEEP = 500;

export interface Begin {
  readonly id: string;
  readonly verb: string;
  readonly target: string;
  readonly caller: string;
  readonly monolith?: MonolithName;
  /** Verb and body, as JSON can say them: what makes two requests the same. */
  readonly body: unknown;
  /** What the next daemon begins by itself needs no record, and is forgotten when it has ended. */
  readonly isOwn?: true;
}

interface Needs {
  readonly clock: Pick<Clock, "now">;
  readonly operations: OperationStore;
  readonly warn: (text: string, error: unknown) => void;
}

const WAITING = "waiting";
export const PREPARING = "preparing";

const unwritten = { write: () => Promise.resolve() };

export class Operations {
  private readonly needs: Needs;
  /** In the order of their beginnings. */
  private readonly known = new Map<string, ActiveOperation>();
  private readonly unreadable = new Map<string, string>();

  constructor(needs: Needs) {
    this.needs = needs;
  }

  /**
   * Reads what is on record.
   * @returns those a former daemon has not ended, oldest first
   */
  async load(): Promise<readonly ActiveOperation[]> {
    const records: OperationRecord[] = [];
    for (const stored of await this.needs.operations.list()) {
      if ("corrupt" in stored) this.setAside(stored);
      else records.push(stored.record);
    }
    records.sort((a, b) => a.startedAtMs - b.startedAtMs);
    for (const record of records)
      this.known.set(record.id, new ActiveOperation(record, this.needs));
    return [...this.known.values()].filter(({ record }) => record.state === "running");
  }

  private setAside({ id, corrupt }: Extract<StoredOperation, { corrupt: string }>): void {
    this.unreadable.set(id, corrupt);
    this.needs.warn(`the operation ${id} cannot be read and is left alone`, new Error(corrupt));
  }

  /**
   * The operation of a request: a new one, or the one it has begun before.
   * @throws {HengeError} OPERATION_EXISTS: the id is that of another request
   */
  begin(begin: Begin): { readonly operation: ActiveOperation; readonly isNew: boolean } {
    const { id, verb, target, caller, monolith, body, isOwn } = begin;
    const digest = createHash("sha256").update(JSON.stringify(body)).digest("hex");
    const known = this.known.get(id);
    if (known?.record.digest === digest) return { operation: known, isNew: false };
    if (known !== undefined || this.unreadable.has(id)) throw idInUse(id, known?.record);
    const operation = new ActiveOperation(
      {
        ...{ id, verb, target, caller, digest },
        ...(monolith === undefined ? {} : { monolith }),
        ...{ state: "running", phase: WAITING, startedAtMs: this.needs.clock.now() },
      },
      isOwn === true ? { ...this.needs, operations: unwritten } : this.needs,
    );
    this.known.set(id, operation);
    if (isOwn === true) void operation.ended().then(() => this.known.delete(id));
    this.dropOld();
    return { operation, isNew: true };
  }

  /** Oldest first. */
  list(): readonly Operation[] {
    const unreadable = [...this.unreadable].map(([id, message]): Operation => ({
      ...{ id, verb: "", target: "", caller: "", state: "unreadable", phase: "", startedAtMs: 0 },
      error: { code: "WRONG_STATE", message },
    }));
    return [...unreadable, ...[...this.known.values()].map(({ operation }) => operation)];
  }

  /** @throws {HengeError} OPERATION_NOT_FOUND · WRONG_STATE: its record cannot be read */
  find(id: string): ActiveOperation {
    const corrupt = this.unreadable.get(id);
    if (corrupt !== undefined)
      throw new HengeError("WRONG_STATE", `cannot show operation ${id}: ${corrupt}`, {
        hint: "nothing was done about it; henge ps shows what runs",
      });
    const known = this.known.get(id);
    if (known !== undefined) return known;
    throw new HengeError("OPERATION_NOT_FOUND", `cannot find operation ${id}`, {
      hint: "henge operations lists those that are known",
    });
  }

  /** The newest operation of a monolith whose verb is one of these; not one that was refused before it changed anything. */
  lastOf(monolith: MonolithName, verbs: readonly string[]): Operation | undefined {
    const mine = [...this.known.values()].filter(
      ({ record }) =>
        record.monolith === monolith && verbs.includes(record.verb) && !isOnlyAsked(record),
    );
    return mine.at(-1)?.operation;
  }

  monoliths(): readonly MonolithName[] {
    const names = [...this.known.values()].map(({ record }) => record.monolith);
    return [...new Set(names.filter((name) => name !== undefined))];
  }

  has(id: string): boolean {
    return this.known.has(id) || this.unreadable.has(id);
  }

  isUnderWay(monolith: MonolithName): boolean {
    return [...this.known.values()].some(
      ({ record }) => record.monolith === monolith && record.state === "running",
    );
  }

  /** Lets go of all that is under way. */
  close(): void {
    for (const operation of this.known.values())
      if (operation.record.state === "running") operation.abandon();
  }

  private dropOld(): void {
    const ended = [...this.known.values()].filter(({ record }) => record.state !== "running");
    for (const { record } of ended.slice(0, Math.max(0, ended.length - KEEP))) {
      this.known.delete(record.id);
      this.needs.operations.remove(record.id).catch((error: unknown) => {
        this.needs.warn(`the record of operation ${record.id} stays`, error);
      });
    }
  }
}

function isOnlyAsked({ phase }: OperationRecord): boolean {
  return phase === WAITING || phase === PREPARING;
}

function idInUse(id: string, record: OperationRecord | undefined): HengeError {
  const what = record === undefined ? "one that cannot be read" : `${record.verb} ${record.target}`;
  return new HengeError(
    "OPERATION_EXISTS",
    `cannot use the request id ${id}: it is that of ${what}`,
    {
      hint: "each request has an id of its own; nothing was changed",
    },
  );
}
