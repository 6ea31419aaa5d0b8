// Runs one of the host's tools (btrfs, nft, ip, tar …): never a shell, an environment of its own, always a deadline.

import { execFile } from "node:child_process";

import { CommandError, HengeError } from "./errors.js";

export interface RunOptions {
  /** Written to its standard input. */
  readonly input?: string;
  /** Default 30,000 ms. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Runs argv and returns its standard output. When the signal aborts it is killed; either way it has ended when this
 * settles, and holds nothing any more.
 * @throws {CommandError} it ended with another status than 0, or could not be run
 * @throws {HengeError} DEADLINE: it did not end in time and was killed
 * @throws the signal's reason
 */
export type Run = (argv: readonly [string, ...string[]], options?: RunOptions) => Promise<string>;

// Where Debian keeps administrators' tools; the caller's PATH is not trusted.
const ENVIRONMENT = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C", TZ: "UTC" };
// From SIGKILL to its end. One that sleeps in the kernel (a pool that is suspended) does not end: nobody waits for it.
const GRACE_MS = 500;
const OUTPUT_MAX_BYTES = 16 * 1024 * 1024;

export const runCommand: Run = (argv, options = {}) => {
  const [file, ...rest] = argv;
  const timeoutMs = options.timeoutMs ?? 30_000;
  const { signal } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(reasonOf(signal));
      return;
    }
    const forsake = setTimeout(() => {
      reject(deadlineError(argv, timeoutMs));
    }, timeoutMs + GRACE_MS);
    const child = execFile(
      file,
      rest,
      {
        env: ENVIRONMENT,
        cwd: "/",
        timeout: timeoutMs,
        killSignal: "SIGKILL",
        maxBuffer: OUTPUT_MAX_BYTES,
      },
      (error, stdout, stderr) => {
        clearTimeout(forsake);
        signal?.removeEventListener("abort", kill);
        if (error === null) resolve(stdout);
        else if (signal?.aborted === true) reject(reasonOf(signal));
        else reject(commandError(argv, error, stderr, timeoutMs));
      },
    );
    // Not execFile's own signal: that one does not wait for the end.
    const kill = (): void => {
      child.kill("SIGKILL");
    };
    signal?.addEventListener("abort", kill);
    child.stdin?.on("error", () => undefined); // EPIPE: the tool ended without reading; its status tells why.
    child.stdin?.end(options.input ?? "");
  });
};

function reasonOf({ reason }: AbortSignal): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

function commandError(
  argv: readonly string[],
  error: Error & { killed?: boolean | undefined; code?: number | string | null | undefined },
  stderr: string,
  timeoutMs: number,
): HengeError {
  if (error.killed === true) return deadlineError(argv, timeoutMs, error);
  return new CommandError(argv, error.code ?? "killed", stderr, { cause: error });
}

function deadlineError(argv: readonly string[], timeoutMs: number, cause?: unknown): HengeError {
  const after = `${String(timeoutMs)} ms`;
  return new HengeError("DEADLINE", `cannot run ${argv.join(" ")}: no end after ${after}`, {
    cause,
  });
}
