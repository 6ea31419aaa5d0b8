// The operations this daemon knows: those under way, with whoever follows them, and the last that have ended. A request
// that comes again under its id gets the operation there is, and nothing is done twice.

import { createHash } from "node:crypto";

import { ERROR_CODES, HengeError } from "../../errors.js";
import type { ErrorCode } from "../../errors.js";
import type { MonolithName, Operation, OperationError } from "../../spec/index.js";
import { createMutex } from "../../mutex.js";
import type { OperationRecord, OperationStore, StoredOperation } from "../../store/operations.js";

import type { Clock } from "../clock.js";
import type { Progress, Report } from "../control.js";

/** Of those that have ended. */
const KEEP = 500;
/** What a follower who comes late is told of one operation. */
const PROGRESS_KEPT = 2_000;

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
        record.monolith === monolith &&
        verbs.includes(record.verb) &&
        !isOnlyAsked(record),
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

/** One operation, and whoever follows it. */
export class ActiveOperation {
  private readonly needs: Omit<Needs, "operations"> & {
    readonly operations: Pick<OperationStore, "write">;
  };
  /** The daemon ends; the next one takes it up where it was written down. */
  private isAbandoned = false;
  private readonly progress: Progress[] = [];
  private readonly followers = new Set<() => void>();
  private readonly controller = new AbortController();
  /** One record, one writer at a time. */
  private readonly writes = createMutex();
  private forgotten = 0;
  private current: OperationRecord;

  constructor(record: OperationRecord, needs: ActiveOperation["needs"]) {
    this.current = record;
    this.needs = needs;
  }

  get record(): OperationRecord {
    return this.current;
  }

  /** As people see it. */
  get operation(): Operation {
    const { id, verb, target, caller, state, phase, startedAtMs, endedAtMs, error } = this.current;
    return {
      ...{ id, verb, target, caller, state, phase, startedAtMs },
      ...(endedAtMs === undefined ? {} : { endedAtMs }),
      ...(error === undefined ? {} : { error }),
    };
  }

  /** Aborts when somebody cancels it, or its time is over. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** @throws {HengeError} WRONG_STATE: it has ended */
  cancel(by: string): void {
    const { id, state, verb, target } = this.current;
    if (state !== "running")
      throw new HengeError("WRONG_STATE", `cannot cancel operation ${id}: it is ${state}`, {
        hint: "nothing was changed",
      });
    this.interrupt(new HengeError("CANCELLED", `${verb} ${target} was cancelled by ${by}`));
  }

  /** Ends it between two steps, for this reason. */
  interrupt(reason: HengeError): void {
    this.controller.abort(reason);
  }

  /** Ends what is under way, and nothing of it is written any more. */
  abandon(): void {
    this.isAbandoned = true;
    this.interrupt(new HengeError("CANCELLED", "the daemon ends"));
  }

  /** How far it is, told but not on the disk. */
  enter(phase: string): void {
    this.current = { ...this.current, phase };
  }

  /** On the disk when this resolves; `kept` is what the next daemon needs to end it. */
  async commit(phase: string, kept: unknown): Promise<void> {
    this.signal.throwIfAborted();
    this.current = { ...this.current, phase, kept };
    await this.write(this.current);
  }

  async end(failure?: unknown): Promise<void> {
    if (this.isAbandoned) return;
    const { kept: _, ...rest } = this.current;
    const error = failure === undefined ? undefined : errorOf(failure);
    const state =
      error === undefined ? "done" : error.code === "CANCELLED" ? "cancelled" : "failed";
    const ended: OperationRecord = {
      ...rest,
      ...{ state, endedAtMs: this.needs.clock.now() },
      ...(error === undefined ? {} : { error }),
    };
    // Its outcome holds for whoever waits, also when the disk does not take it.
    await this.write(ended).catch((refused: unknown) => {
      this.needs.warn(`the outcome of operation ${rest.id} is not on the disk`, refused);
    });
    this.current = ended;
    this.tell();
  }

  private write(record: OperationRecord): Promise<void> {
    return this.writes.run(() => this.needs.operations.write(record));
  }

  readonly report: Report = (progress) => {
    this.progress.push(progress);
    if (this.progress.length > PROGRESS_KEPT) {
      this.progress.shift();
      this.forgotten += 1;
    }
    this.tell();
  };

  /**
   * Tells what has happened, then what happens, and returns when it has ended; or, early, when the signal aborts.
   * @throws {HengeError} its failure, as whoever asked for it was told
   */
  async follow(report: Report, signal: AbortSignal): Promise<void> {
    report({ kind: "operation", operation: this.operation });
    let next = 0;
    let wake = (): void => undefined;
    const listener = (): void => {
      wake();
    };
    this.followers.add(listener);
    signal.addEventListener("abort", listener);
    try {
      while (!signal.aborted) {
        next = Math.max(next, this.forgotten);
        for (const progress of this.progress.slice(next - this.forgotten)) {
          next += 1;
          report(progress);
        }
        if (this.current.state !== "running") break;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      this.followers.delete(listener);
      signal.removeEventListener("abort", listener);
    }
    if (!signal.aborted) this.throwFailure();
  }

  /** Returns when it has ended, well or not. */
  async ended(): Promise<void> {
    await this.follow(() => undefined, new AbortController().signal).catch(() => undefined);
  }

  private throwFailure(): void {
    const { error } = this.current;
    if (error === undefined) return;
    const { code, message, hint } = error;
    throw new HengeError(codeOf(code), message, hint === undefined ? {} : { hint });
  }

  private tell(): void {
    for (const listener of [...this.followers]) listener();
  }
}

function isOnlyAsked({ phase }: OperationRecord): boolean {
  return phase === WAITING || phase === PREPARING;
}

function errorOf(failure: unknown): OperationError {
  if (!(failure instanceof HengeError))
    return { code: "INTERNAL", message: "internal error", hint: "the daemon's log says more" };
  const { code, message, hint } = failure;
  return { code, message, ...(hint === undefined ? {} : { hint }) };
}

function codeOf(text: string): ErrorCode {
  return ERROR_CODES.find((code) => code === text) ?? "INTERNAL";
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
