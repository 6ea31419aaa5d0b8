// Runs host tools whose input or output is too large to keep: `zfs send | zfs receive`, an archive from a client. It
// goes through in pieces; whoever is slow holds the others back.

import type { Readable, Writable } from "node:stream";

import { CommandError } from "./errors.js";
import { ToolProcess, reasonOf, withTools } from "./tool-process.js";
import type { Argv } from "./tool-process.js";

export interface StreamOptions {
  /** How much has gone through so far; called for every piece. */
  readonly progress?: ((bytes: number) => void) | undefined;
  /** How long nothing may go through before the tools are killed. Default 300,000 ms. */
  readonly idleMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface CommandStreams extends StreamOptions {
  /** Read to its end into the tool, or destroyed. */
  readonly input?: Readable | undefined;
  /** Ended when the tool has ended well; destroyed otherwise, so that a part is never taken for the whole. */
  readonly output?: Writable | undefined;
}

const IDLE_MS = 300_000;

/**
 * Runs one tool between two streams and returns how many bytes went through: those of its output where that is asked
 * for, else those of its input. It has ended when this settles.
 * @throws {CommandError} it ended with another status than 0, or could not be run
 * @throws {HengeError} DEADLINE: nothing went through for too long
 * @throws the signal's reason, or a stream's error
 */
export async function streamCommand(argv: Argv, streams: CommandStreams): Promise<number> {
  const { input, output, signal } = streams;
  output?.on("error", () => undefined); // What is told is why it takes no more.
  try {
    if (signal?.aborted === true) throw reasonOf(signal);
    const tool = new ToolProcess(argv);
    return await withTools([tool], limitsOf(streams), async (alive) => {
      const counter = new Counter(streams.progress, alive);
      const count = counter.add;
      const fed = feed(input, tool.stdin, output === undefined ? count : alive);
      // One that ends without reading leaves its input where it is.
      await Promise.all([Promise.race([fed, tool.ended]), take(tool, output, count)]);
      const failure = await tool.ended;
      if (failure !== undefined) throw failure;
      output?.end();
      return counter.bytes;
    });
  } catch (error) {
    input?.destroy();
    output?.destroy();
    throw error;
  }
}

/**
 * Runs two tools, the output of the first being the input of the second, and returns how many bytes went through. Both
 * have ended when this settles. The second sees the end of its input only when the first has ended well: what is cut
 * off is never taken for the whole.
 * @throws {CommandError} of the tool that failed first; then the other was killed
 * @throws {HengeError} DEADLINE: nothing went through for too long
 * @throws the signal's reason
 */
export async function pipeCommands(from: Argv, to: Argv, options: StreamOptions): Promise<number> {
  if (options.signal?.aborted === true) throw reasonOf(options.signal);
  const [sender, receiver] = [new ToolProcess(from), new ToolProcess(to)];
  return await withTools([sender, receiver], limitsOf(options), async (alive) => {
    sender.stdin.end();
    receiver.stdout.resume();
    const counter = new Counter(options.progress, alive);
    const early = receiver.ended.then(
      (failure) => failure ?? new CommandError(to, 0, "it ended before it had read everything"),
    );
    const moved = move(sender.stdout, receiver.stdin, counter.add);
    const first = await Promise.race([moved, early]);
    if (first !== "all") throw await early;
    const failure = (await sender.ended) ?? (receiver.stdin.end(), await receiver.ended);
    if (failure !== undefined) throw failure;
    return counter.bytes;
  });
}

function limitsOf({ idleMs = IDLE_MS, signal }: StreamOptions) {
  return { timeoutMs: idleMs, overdue: "no byte moved", signal };
}

class Counter {
  bytes = 0;
  readonly #told: (bytes: number) => void;
  readonly #alive: () => void;
  constructor(told: (bytes: number) => void = () => undefined, alive: () => void) {
    this.#told = told;
    this.#alive = alive;
  }
  readonly add = (bytes: number): void => {
    this.bytes += bytes;
    this.#alive();
    this.#told(this.bytes);
  };
}

/** A tool that reads no more before the end of its input has had enough: its status tells whether that is right. */
async function feed(
  input: Readable | undefined,
  stdin: Writable,
  moved: (bytes: number) => void,
): Promise<void> {
  if (input !== undefined) await move(input, stdin, moved);
  stdin.end();
}

async function take(
  { argv, stdout }: ToolProcess,
  output: Writable | undefined,
  moved: (bytes: number) => void,
): Promise<void> {
  if (output === undefined) stdout.resume();
  else if ((await move(stdout, output, moved)) === "closed")
    throw output.errored ?? new CommandError(argv, "closed", "nobody takes its output any more");
}

/** Piece by piece, the next when the last was taken. `closed`: nothing is taken any more. */
async function move(
  from: Readable,
  to: Writable,
  moved: (bytes: number) => void,
): Promise<"all" | "closed"> {
  for await (const piece of from as AsyncIterable<Buffer>) {
    if (to.destroyed) return "closed";
    if (!to.write(piece) && !(await drain(to))) return "closed";
    moved(piece.length);
  }
  return "all";
}

function drain(to: Writable): Promise<boolean> {
  return new Promise((resolve) => {
    if (to.destroyed) {
      resolve(false);
      return;
    }
    const settle = (): void => {
      to.off("drain", settle).off("close", settle);
      resolve(!to.destroyed);
    };
    to.on("drain", settle).on("close", settle);
  });
}
