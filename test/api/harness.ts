// A gRPC server over a fake Control, on a socket of its own.

import { mkdir } from "node:fs/promises";

import { onTestFinished } from "vitest";

import { serve } from "../../src/api/index.js";
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

/** @param root of a daemon before this one, which has ended; else one of its own */
export async function startDaemon(over: Partial<Control> = {}, root?: string): Promise<TestDaemon> {
  return startIn(root ?? (await temporaryDirectory()), over);
}

async function startIn(root: string, over: Partial<Control>): Promise<TestDaemon> {
  const { run, socket } = rootPaths(root);
  await mkdir(run, { recursive: true, mode: 0o700 });
  const log: string[] = [];
  const logger = createLogger({ write: (line) => log.push(line) });
  const server = await serve({ control: fakeControl(over), socket: { path: socket }, log: logger });
  let closed: Promise<void> | undefined;
  const close = () => (closed ??= server.close());
  onTestFinished(close);
  return { root, socketPath: socket, log, close };
}

/** Waits until it holds, at most 15 s. */
export async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error("it never came to hold");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
