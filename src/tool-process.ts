// One process of a host tool and its three pipes: how it is started, ended with all it has started, and what its end
// means. What flows through the pipes is its user's.

import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";

import { CommandError, HengeError, errnoOf } from "./errors.js";

export type Argv = readonly [string, ...string[]];

export interface Limits {
  readonly timeoutMs: number;
  /** What is told when the time is over: `no end`, `no byte moved`. */
  readonly overdue: string;
  readonly signal?: AbortSignal | undefined;
}

// Where Debian keeps administrators' tools; the caller's PATH is not trusted.
export const TOOL_ENVIRONMENT = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C", TZ: "UTC" };
// From SIGKILL to its end. One that sleeps in the kernel (a pool that is suspended) does not end: nobody waits for it.
const GRACE_MS = 500;
const STDERR_MAX_BYTES = 64 * 1024;

/** Owns the process: end it with `endTools`, or read its output to the end. Never a shell. */
export class ToolProcess {
  readonly argv: Argv;
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Why it failed, or undefined when it ended with 0. It has ended then, and nobody holds its output any more. */
  readonly ended: Promise<CommandError | undefined>;
  readonly #child: ChildProcessWithoutNullStreams;

  constructor(argv: Argv) {
    const [file, ...rest] = argv;
    this.argv = argv;
    // A process group of its own: what it starts itself ends with it.
    const child = spawn(file, rest, {
      env: TOOL_ENVIRONMENT,
      cwd: "/",
      stdio: "pipe",
      detached: true,
    });
    this.#child = child;
    this.stdin = child.stdin;
    this.stdout = child.stdout;
    child.stdin.on("error", () => undefined); // EPIPE: it ended without reading; its status tells why.
    this.ended = endOf(argv, child, lastOf(child.stderr));
  }

  /** Ends it at once, with its process group. Harmless when it has ended. */
  kill(): void {
    const { pid, exitCode, signalCode } = this.#child;
    // Once it is reaped, its number may be somebody else's.
    if (pid !== undefined && exitCode === null && signalCode === null) killGroup(pid);
    for (const pipe of [this.#child.stdin, this.#child.stdout, this.#child.stderr]) pipe.destroy();
  }
}

/**
 * Does `work` with the tools. When the time is over, the signal aborts or the work fails they are killed; either way
 * they have ended when this settles.
 * @param work gets a function that lets the time begin anew
 * @throws {HengeError} DEADLINE
 * @throws the signal's reason, or what the work throws
 */
export async function withTools<T>(
  tools: readonly ToolProcess[],
  { timeoutMs, overdue, signal }: Limits,
  work: (alive: () => void) => Promise<T>,
): Promise<T> {
  const names = tools.map(({ argv }) => argv.join(" ")).join(" | ");
  let cancel: (reason: Error) => void = () => undefined;
  const cancelled = new Promise<never>((_, reject) => (cancel = reject));
  const abort = (): void => {
    if (signal !== undefined) cancel(reasonOf(signal));
  };
  const timer = setTimeout(() => {
    const why = `${overdue} after ${String(timeoutMs)} ms`;
    cancel(new HengeError("DEADLINE", `cannot run ${names}: ${why}`));
  }, timeoutMs);
  signal?.addEventListener("abort", abort);
  try {
    return await Promise.race([work(() => timer.refresh()), cancelled]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
    await endTools(tools);
  }
}

/** The signal's reason as an error. */
export function reasonOf({ reason }: AbortSignal): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

async function endTools(tools: readonly ToolProcess[]): Promise<void> {
  const ended = Promise.all(tools.map((tool) => tool.ended));
  for (const tool of tools) tool.kill();
  const done = new AbortController();
  const { signal } = done;
  await Promise.race([ended, pause(GRACE_MS, undefined, { signal }).catch(() => undefined)]);
  done.abort();
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if (errnoOf(error) !== "ESRCH") throw error;
  }
}

function endOf(
  argv: Argv,
  child: ChildProcessWithoutNullStreams,
  said: () => string,
): Promise<CommandError | undefined> {
  return new Promise((resolve) => {
    let refused: Error | undefined;
    child.once("error", (error) => {
      refused = error;
      // Never started: then there is no `close` either.
      if (child.pid === undefined) resolve(failure(argv, errnoOf(error), "", error));
    });
    child.once("close", (code, killedBy) => {
      resolve(
        code === 0 ? undefined : failure(argv, code ?? killedBy ?? "killed", said(), refused),
      );
    });
  });
}

function failure(
  argv: Argv,
  exit: number | string,
  stderr: string,
  cause: Error | undefined,
): CommandError {
  return new CommandError(argv, exit, stderr, cause === undefined ? {} : { cause });
}

/** Of what a tool says the end is kept: that is where it tells why it failed. */
function lastOf(stream: Readable): () => string {
  let last = Buffer.alloc(0);
  stream.on("data", (chunk: Buffer) => {
    last = Buffer.concat([last, chunk]).subarray(-STDERR_MAX_BYTES);
  });
  return () => last.toString("utf8");
}
