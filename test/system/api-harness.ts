// A gRPC server over a fake Control on a socket of its own, and the CLI run against it inside this process.

import { EventEmitter } from "node:events";
import { mkdir } from "node:fs/promises";
import { Readable } from "node:stream";

import { onTestFinished } from "vitest";

import { serve } from "../../src/api/index.js";
import { runCli } from "../../src/cli/program.js";
import { createLogger } from "../../src/log.js";
import type { Control } from "../../src/reconcile/control.js";
import { rootPaths } from "../../src/root.js";
import { fakeControl } from "../fake/control.js";
import { temporaryDirectory } from "../fixture/directory.js";

export interface TestDaemon {
  readonly root: string;
  readonly socketPath: string;
  /** What it logged. */
  readonly log: string[];
  close(): Promise<void>;
}

export async function startDaemon(over: Partial<Control> = {}): Promise<TestDaemon> {
  const root = await temporaryDirectory();
  const { run, socket } = rootPaths(root);
  await mkdir(run, { mode: 0o700 });
  const log: string[] = [];
  const logger = createLogger({ write: (line) => log.push(line) });
  const server = await serve({ control: fakeControl(over), socket: { path: socket }, log: logger });
  let closed: Promise<void> | undefined;
  const close = () => (closed ??= server.close());
  onTestFinished(close);
  return { root, socketPath: socket, log, close };
}

export class Screen extends EventEmitter {
  text = "";
  isTTY = false;
  rows = 24;
  columns = 80;
  write(data: string | Uint8Array): boolean {
    this.text += typeof data === "string" ? data : Buffer.from(data).toString("utf8");
    this.emit("write");
    return true;
  }
}

export interface Keyboard {
  readonly stdin: Readable & { isTTY?: boolean; setRawMode?: (raw: boolean) => void };
  /** Every change of raw mode, in order. */
  readonly raw: boolean[];
}

export function keyboard(
  chunks: Iterable<string> | AsyncIterable<string>,
  isTTY = false,
): Keyboard {
  const raw: boolean[] = [];
  const stdin = Readable.from(chunks);
  return {
    stdin: isTTY
      ? Object.assign(stdin, { isTTY, setRawMode: (on: boolean) => raw.push(on) })
      : stdin,
    raw,
  };
}

export interface CliRun {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly stdin?: Keyboard["stdin"];
  readonly stdout?: Screen;
  readonly env?: Record<string, string>;
  readonly cwd?: string;
}

export async function henge(
  root: string,
  argv: readonly string[],
  options: CliOptions = {},
): Promise<CliRun> {
  const stdout = options.stdout ?? new Screen();
  const stderr = new Screen();
  const stdin = options.stdin ?? keyboard([]).stdin;
  const env = { HENGE_ROOT: root, ...options.env };
  const exit = await runCli(argv, { stdin, stdout, stderr, env, cwd: options.cwd ?? root });
  return { exit, stdout: stdout.text, stderr: stderr.text };
}

/** Waits until it holds, at most 5 s. */
export async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error("it never came to hold");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
