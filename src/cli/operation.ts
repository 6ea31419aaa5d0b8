// A verb that changes something, from its call to the outcome of its operation: shown while it goes on, taken up again when the
// daemon was away, left or cancelled when somebody presses Ctrl-C.

import type { Command } from "commander";

import type { Operation, Progress, Step } from "../api/gen/henge/v1/henge.js";
import type { Message, StreamName } from "../api/service.js";
import { HengeError } from "../errors.js";
import { attached, say } from "./attached.js";
import type { Client } from "./client.js";
import type { Context } from "./context.js";
import { follow } from "./progress.js";
import { parseDuration } from "./times.js";

export type ChangeName = Exclude<StreamName, "Logs" | "Events" | "Follow">;

export interface ChangeOptions {
  readonly timeout?: string;
  /** False with --no-wait. */
  readonly wait?: boolean;
}

export interface Changed {
  /** As they were planned. */
  readonly steps: readonly Step[];
  readonly operation: string;
  /** It goes on without this client. */
  readonly isLeft: boolean;
}

export function addChangeOptions(command: Command): Command {
  return command
    .option(
      "--timeout <duration>",
      "cancel it when it takes longer, e.g. 5m; what is done stays done",
    )
    .option("--no-wait", "leave as soon as it is under way; henge operations -f follows it");
}

/** @throws {HengeError} what the operation has failed with */
export async function change<Rpc extends ChangeName>(
  context: Context,
  rpc: Rpc,
  request: Message<Rpc> & { readonly requestId: string },
  options: ChangeOptions = {},
): Promise<Changed> {
  const timeoutMs =
    options.timeout === undefined ? undefined : parseDuration("--timeout", options.timeout);
  const begin: Begin = (daemon, signal) =>
    daemon.stream(rpc, request, {
      signal,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    }) as AsyncIterable<Progress>;
  const watch = new Watch(context, request.requestId, options.wait ?? true);
  return watch.toItsEnd(begin, begin);
}

/** Shows an operation that was begun before, to its end. */
export function followOperation(context: Context, id: string): Promise<Changed> {
  const again: Begin = (daemon, signal) => daemon.stream("Follow", { id }, { signal });
  return new Watch(context, id, true).toItsEnd(again, again);
}

type Begin = (daemon: Client, signal: AbortSignal) => AsyncIterable<Progress>;

class Watch {
  private readonly context: Context;
  private readonly id: string;
  private readonly waits: boolean;
  private readonly left = new AbortController();
  private steps: Step[] = [];
  private isHeard = false;
  private interrupts = 0;

  constructor(context: Context, id: string, waits: boolean) {
    this.context = context;
    this.id = id;
    this.waits = waits;
  }

  /** @param anew what is asked when the daemon that is back does not know the operation: it had not begun */
  async toItsEnd(first: Begin, anew: Begin): Promise<Changed> {
    try {
      await attached(
        this.context,
        (daemon) => (this.isHeard ? this.again(daemon, anew) : this.once(daemon, first)),
        () => this.isHeard && !this.left.signal.aborted,
      );
    } catch (error) {
      if (!this.left.signal.aborted) throw error;
    }
    return this.result();
  }

  private async again(daemon: Client, anew: Begin): Promise<void> {
    try {
      await this.once(daemon, (_, signal) => daemon.stream("Follow", { id: this.id }, { signal }));
    } catch (error) {
      if (!isUnknown(error)) throw error;
      await this.once(daemon, anew);
    }
  }

  private result(): Changed {
    const isLeft = this.left.signal.aborted;
    if (isLeft) this.say(`it goes on without you: henge operations -f ${this.id} follows it\n`);
    return { steps: this.steps, operation: this.id, isLeft };
  }

  private async once(daemon: Client, begin: Begin): Promise<void> {
    const release = this.context.io.onInterrupt?.(() => {
      void this.interrupted(daemon);
    });
    try {
      this.steps = [];
      await follow(this.context, begin(daemon, this.left.signal), (progress) => {
        this.isHeard = true;
        this.steps.push(...(progress.plan?.steps ?? []));
        if (progress.plan !== undefined && !this.waits) this.left.abort();
      });
    } finally {
      release?.();
    }
  }

  /** Asked once, on a terminal; a second Ctrl-C, and one in a pipe, cancels. */
  private async interrupted(daemon: Client): Promise<void> {
    const { stdin, stdout } = this.context.io;
    this.interrupts += 1;
    const asks = stdin.isTTY === true && stdout.isTTY === true && this.interrupts === 1;
    if (asks && (await this.wantsToLeave())) {
      this.left.abort();
      return;
    }
    if (asks && this.interrupts > 1) return; // The second one has cancelled it.
    this.say("cancelling: it ends before its next step\n");
    await daemon.call("Cancel", { id: this.id }).catch(() => undefined); // It has ended, or will say so.
  }

  private async wantsToLeave(): Promise<boolean> {
    this.say("\ndetach (it goes on) or cancel? [d/c] ");
    for await (const chunk of this.context.io.stdin) {
      const answer = String(chunk).trim().toLowerCase();
      if (answer.startsWith("d")) return true;
      if (answer.startsWith("c")) return false;
      this.say("d or c: ");
    }
    return false;
  }

  private say(text: string): void {
    say(this.context, text);
  }
}

function isUnknown(error: unknown): boolean {
  return error instanceof HengeError && error.code === "OPERATION_NOT_FOUND";
}

/** As `henge operations -o json` has it; the keys are an interface. */
export function operationToJson(operation: Operation) {
  const { id, verb, target, caller, state, phase, startedAtMs, endedAtMs, error } = operation;
  return {
    ...{ id, verb, target, caller, state, phase },
    startedAt: startedAtMs === 0 ? null : new Date(startedAtMs).toISOString(),
    endedAt: endedAtMs === undefined ? null : new Date(endedAtMs).toISOString(),
    error:
      error === undefined
        ? null
        : { code: error.code, message: error.message, hint: error.hint ?? null },
  };
}
