// A Control that knows no cell, until a test says otherwise; and a command that echoes what it is fed.

import { HengeError } from "../../src/errors.js";
import type {
  Call,
  Control,
  Progress,
  Request,
  RequestOf,
  VerbName,
} from "../../src/reconcile/control.js";
import type { ExitStatus, Step } from "../../src/spec/index.js";

type Session = Awaited<ReturnType<Control["exec"]>>;

export function fakeControl(over: Partial<Control> = {}): Control {
  const unknown = () =>
    Promise.reject(new HengeError("CELL_NOT_FOUND", "cannot find the cell: there is none"));
  return {
    validate: () => Promise.resolve(),
    plan: () => Promise.resolve({ steps: [], budgets: [] }),
    change: () => Promise.resolve(),
    operations: () => [],
    operation: (id) => {
      throw new HengeError("OPERATION_NOT_FOUND", `cannot find operation ${id}`);
    },
    follow: unknown,
    cancel: () => undefined,
    list: () => Promise.resolve([]),
    get: unknown,
    snapshots: unknown,
    logs: () => iterate([]),
    events: () => iterate([]),
    exec: unknown,
    doctor: () => Promise.resolve([]),
    version: () => ({ version: "1.2.3", pid: 42, startedAtMs: Date.UTC(2026, 0, 2) }),
    ...over,
  };
}

type Changes = {
  readonly [Name in VerbName]?: (request: RequestOf<Name>, call: Call) => Promise<void>;
};

/** A Control's `change`, verb by verb; one that is not named knows no cell. */
export function changing(verbs: Changes): Pick<Control, "change"> {
  return {
    change: (call) => {
      const { request } = call;
      const act = verbs[request.verb] as
        ((request: Request, call: Call) => Promise<void>) | undefined;
      return (
        act?.(request, call) ??
        Promise.reject(new HengeError("CELL_NOT_FOUND", "cannot find the cell: there is none"))
      );
    },
  };
}

export async function* iterate<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items;
}

/** Reports the steps as planned, begun and ended. */
export function report(steps: readonly Step[], to: (progress: Progress) => void): void {
  to({ kind: "plan", steps });
  steps.forEach((step, index) => {
    to({ kind: "begin", index, step });
    to({ kind: "end", index, step, ms: 1_234 });
  });
}

/** What it is fed comes out of its standard output; at the end of its input it ends as told. */
export class EchoSession implements Session {
  readonly sizes: string[] = [];
  paused = false;
  /** Whether somebody takes its output. */
  heard = false;
  readonly exit: Promise<ExitStatus>;
  private finish: (exit: ExitStatus) => void = () => undefined;
  private listener: (stream: "stdout" | "stderr", chunk: Buffer) => void = () => undefined;
  private readonly status: ExitStatus;

  constructor(status: ExitStatus = { code: 0, atMs: 1 }) {
    this.status = status;
    this.exit = new Promise((resolve) => (this.finish = resolve));
  }

  onOutput(listener: (stream: "stdout" | "stderr", chunk: Buffer) => void): void {
    this.listener = listener;
    this.heard = true;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  say(stream: "stdout" | "stderr", text: string): void {
    this.listener(stream, Buffer.from(text));
  }

  write(chunk: Buffer): boolean {
    this.listener("stdout", chunk);
    return true;
  }

  onDrain(): void {
    // There is always room.
  }

  end(): void {
    this.finish(this.status);
  }

  resize(rows: number, columns: number): void {
    this.sizes.push(`${String(rows)}x${String(columns)}`);
    this.end();
  }
}
