// One operation: how far it is, on the disk and for whoever follows it, and how it ended.

import { ERROR_CODES, HengeError, ManifestError } from "../../errors.js";
import type { ErrorCode } from "../../errors.js";
import { createMutex } from "../../mutex.js";
import type { Operation, OperationError } from "../../spec/index.js";
import type { OperationRecord, OperationStore } from "../../store/operations.js";

import type { Clock } from "../clock.js";
import type { Progress, Report } from "../control.js";

/** What a follower who comes late is told of one operation. */
const PROGRESS_KEPT = 2_000;

interface Needs {
  readonly clock: Pick<Clock, "now">;
  readonly operations: Pick<OperationStore, "write">;
  readonly warn: (text: string, error: unknown) => void;
}

export class ActiveOperation {
  private readonly needs: Needs;
  /** The daemon ends; the next one takes it up where it was written down. */
  private isAbandoned = false;
  private readonly progress: Progress[] = [];
  private readonly followers = new Set<() => void>();
  private readonly controller = new AbortController();
  /** One record, one writer at a time. */
  private readonly writes = createMutex();
  private forgotten = 0;
  private current: OperationRecord;
  private failure: HengeError | undefined;

  constructor(record: OperationRecord, needs: Needs) {
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
    if (failure instanceof HengeError) this.failure = failure;
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
    // In full, while this daemon has it.
    if (this.failure !== undefined) throw this.failure;
    const { error } = this.current;
    if (error === undefined) return;
    const { code, message, hint } = error;
    throw new HengeError(codeOf(code), message, hint === undefined ? {} : { hint });
  }

  private tell(): void {
    for (const listener of [...this.followers]) listener();
  }
}

function errorOf(failure: unknown): OperationError {
  if (!(failure instanceof HengeError))
    return { code: "INTERNAL", message: "internal error", hint: "the daemon's log says more" };
  const { code, hint } = failure;
  const problems = failure instanceof ManifestError ? failure.problems : [];
  const message = [
    failure.message,
    ...problems.map(({ path, line, text }) => `line ${String(line)}, ${path}: ${text}`),
  ].join("\n  ");
  return { code, message, ...(hint === undefined ? {} : { hint }) };
}

function codeOf(text: string): ErrorCode {
  return ERROR_CODES.find((code) => code === text) ?? "INTERNAL";
}
