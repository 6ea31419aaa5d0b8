// A small process of the daemon's that starts wardens and tools in its place: to fork a daemon of 80 MB takes 10 to 40 ms
// in which it does nothing else, to fork this one less than one.

import { spawn } from "node:child_process";
import { constants } from "node:os";
import type { Socket } from "node:net";
import { getSystemErrorName } from "node:util";

import { TOOL_ENVIRONMENT } from "../command.js";
import type { Run, RunOptions } from "../command.js";
import { CommandError, HengeError, KernelError, errnoOf } from "../errors.js";
import { failureOf } from "./connection.js";
import { FRAME_MAX_BYTES, decodeStrings } from "./frames.js";
import { askSpawner } from "./spawner-client.js";

export interface Spawner {
  /** Where it listens; started anew when it has ended. */
  socket(): Promise<string>;
  /** Ends it; what it has started lives on. */
  close(): void;
}

const READY_MS = 10_000;
const TIMEOUT_MS = 30_000;
/** From being cancelled to being gone: a tool that sleeps in the kernel is not waited for. */
const GRACE_MS = 500;
const HEAD_BYTES = 16;
/** Of a request beside its input. */
const ARGV_MAX_BYTES = 64 * 1024;

/**
 * @param helper absolute path of henge-helper
 * @param path of its socket, in a directory of the daemon's own
 */
export function createSpawner(helper: string, path: string): Spawner {
  let started: Promise<string> | undefined;
  let end: () => void = () => undefined;
  const start = (): Promise<string> =>
    new Promise((resolve, reject) => {
      // It ends when its standard input does, so also with a daemon that is killed.
      const child = spawn(helper, ["--spawner", path], {
        env: TOOL_ENVIRONMENT,
        cwd: "/",
        stdio: ["pipe", "pipe", "ignore"],
      });
      const late = setTimeout(() => child.kill("SIGKILL"), READY_MS);
      end = () => child.stdin.end();
      const over = (cause: Error | undefined): void => {
        clearTimeout(late);
        started = undefined;
        reject(new KernelError("start", errnoOf(cause), { path: helper, cause }));
      };
      child.stdin.on("error", () => undefined);
      child.once("error", over);
      child.once("exit", () => {
        over(undefined);
      });
      child.stdout.once("data", () => {
        clearTimeout(late);
        child.stdout.destroy();
        resolve(path);
      });
    });
  return {
    socket: () => (started ??= start()),
    close: () => {
      end();
    },
  };
}

/** Tools run by the spawner; `direct` runs what it cannot: one with a very long input, or when it is not there. */
export function runBySpawner(spawner: Spawner, direct: Run): Run {
  return async (argv, options = {}) => {
    options.signal?.throwIfAborted();
    const { input = "" } = options;
    if (Buffer.byteLength(input) > FRAME_MAX_BYTES - ARGV_MAX_BYTES) return direct(argv, options);
    let socket: Socket;
    try {
      const limit = AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS);
      socket = await askSpawner(await spawner.socket(), ["run", input, ...argv], limit);
    } catch (error) {
      if (error instanceof KernelError) return direct(argv, options);
      throw error;
    }
    return readAnswer(argv, await hear(socket, argv, options));
  };
}

/** The whole answer. Cancelled, the tool has ended by then as well. */
async function hear(
  socket: Socket,
  argv: readonly string[],
  { timeoutMs = TIMEOUT_MS, signal }: RunOptions,
): Promise<Buffer> {
  let why: unknown;
  let grace: NodeJS.Timeout | undefined;
  const cancel = (reason: unknown): void => {
    why ??= reason;
    // The end of what we say has the tool killed; the answer comes when it is gone.
    socket.end();
    grace ??= setTimeout(() => socket.destroy(), GRACE_MS);
  };
  const abort = (): void => {
    cancel(signal?.reason);
  };
  const timer = setTimeout(() => {
    const text = `cannot run ${argv.join(" ")}: no end after ${String(timeoutMs)} ms`;
    cancel(new HengeError("DEADLINE", text));
  }, timeoutMs);
  if (signal?.aborted === true) abort();
  signal?.addEventListener("abort", abort);
  const answer = await new Promise<Buffer>((resolve) => {
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", () => undefined); // `close` follows, and what came until then tells why.
    socket.once("end", () => socket.destroy());
    socket.once("close", () => {
      resolve(Buffer.concat(chunks));
    });
  });
  clearTimeout(timer);
  clearTimeout(grace);
  signal?.removeEventListener("abort", abort);
  if (why === undefined) return answer;
  throw why instanceof Error ? why : new Error("cancelled", { cause: why });
}

/** tool.h has the form. */
function readAnswer(argv: readonly string[], answer: Buffer): string {
  const [verdict, ...rest] = answer[0] === "f".charCodeAt(0) ? decodeStrings(answer) : [];
  if (verdict === "failed") throw failureOf(rest);
  const [length, lengthOfErrors] = [8, 12].map((at) =>
    answer.length < HEAD_BYTES ? Number.NaN : answer.readUInt32LE(at),
  ) as [number, number];
  if (answer.length !== HEAD_BYTES + length + lengthOfErrors)
    throw new CommandError(argv, "killed", "");
  const said = answer.toString("utf8", HEAD_BYTES + length);
  const exit = exitOf(answer.readUInt32LE(0), answer.readUInt32LE(4));
  if (exit !== 0) throw new CommandError(argv, exit, said);
  return answer.toString("utf8", HEAD_BYTES, HEAD_BYTES + length);
}

function exitOf(kind: number, number: number): number | string {
  if (kind === 0) return number;
  if (kind === 2) return getSystemErrorName(-number);
  const signal = Object.entries(constants.signals).find(([, value]) => value === number);
  return signal?.[0] ?? `signal ${String(number)}`;
}
