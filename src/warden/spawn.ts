// Has a henge-warden started, by the daemon itself or by a spawner: directives on its descriptor 3, its answer on 4, a
// network namespace to join on 5.

import { spawn } from "node:child_process";
import { open } from "node:fs/promises";
import type { Duplex, Writable } from "node:stream";

import { HengeError, KernelError, errnoOf } from "../errors.js";
import type { CellName } from "../spec/index.js";
import { deadline, failureOf } from "./connection.js";
import { decodeStrings, encodeStrings } from "./frames.js";
import { readStart } from "./record.js";
import type { Spawner } from "./spawner.js";
import { askSpawner } from "./spawner-client.js";

const OK = Buffer.from("ok\0");
const CONFIRMED = Buffer.from("1");

/** Who starts wardens. */
export interface SpawnOptions {
  /** Absolute path of the compiled henge-warden. */
  readonly binary: string;
  /**
   * Socket of a `henge-helper --spawner` that is not the daemon's child: what systemd has imposed on the daemon is
   * inherited by its children, and cannot be taken back.
   */
  readonly spawnerSocket?: string | undefined;
  /** The daemon's own, where there is no other: the daemon itself is dear to fork. */
  readonly spawner?: Spawner | undefined;
}

interface SpawnRequest {
  readonly cell: CellName;
  readonly directives: readonly string[];
  readonly networkOf: number | undefined;
}

/**
 * Resolves when the cell is built and its warden serves.
 * @throws {KernelError} what failed; then nothing is left behind
 */
export async function spawnWarden(
  { binary, spawnerSocket, spawner }: SpawnOptions,
  request: SpawnRequest,
  signal: AbortSignal,
): Promise<void> {
  const path = spawnerSocket ?? (await spawner?.socket());
  const answer =
    path === undefined
      ? await askChild(binary, request, signal)
      : await askForWarden(path, request, signal);
  const [verdict, ...rest] = decodeStrings(answer);
  if (verdict === "ok") return;
  if (verdict === "failed") throw failureOf(rest);
  throw new KernelError("warden", "EPIPE", {
    path: request.cell,
    hint: "the warden ended without an answer",
  });
}

async function askChild(
  binary: string,
  { cell, directives, networkOf }: SpawnRequest,
  signal: AbortSignal,
): Promise<Buffer> {
  const network = networkOf === undefined ? undefined : await openNetwork(networkOf);
  try {
    const child = spawn(binary, [cell], {
      env: {},
      cwd: "/",
      argv0: "henge-warden",
      stdio: ["ignore", "ignore", "ignore", "pipe", "pipe", network?.fd ?? "ignore"],
    });
    const [to, from] = [child.stdio[3] as Writable, child.stdio[4] as Duplex];
    child.once("error", (error) => {
      from.destroy(new KernelError("exec", errnoOf(error), { path: binary, cause: error }));
    });
    to.on("error", () => undefined); // EPIPE: it ended before it read all; its answer tells why.
    to.end(encodeStrings(directives));
    return await hear(from, signal);
  } finally {
    await network?.close();
  }
}

async function openNetwork(pid: number) {
  const path = `/proc/${String(pid)}/ns/net`;
  try {
    return await open(path, "r");
  } catch (error) {
    throw new KernelError("open", errnoOf(error), { path, cause: error });
  }
}

/** The spawner opens the namespace itself: Node.js cannot pass descriptors. */
async function askForWarden(
  path: string,
  { cell, directives, networkOf }: SpawnRequest,
  signal: AbortSignal,
): Promise<Buffer> {
  const network = networkOf === undefined ? "" : await networkText(networkOf);
  const socket = await askSpawner(path, ["warden", cell, network, ...directives], signal);
  return await hear(socket, signal);
}

/** With its start time a pid is unmistakable. */
async function networkText(pid: number): Promise<string> {
  const start = await readStart(pid);
  if (start === undefined)
    throw new KernelError("open", "ESRCH", { path: `/proc/${String(pid)}/ns/net` });
  return `${String(pid)} ${start}`;
}

/** Returns the whole answer; an `ok` is confirmed first, for an unconfirmed warden takes down what it built. */
async function hear(from: Duplex, signal: AbortSignal): Promise<Buffer> {
  return await new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const abort = () => {
      from.destroy();
      reject(deadline("allocate", signal));
    };
    const settle = () => {
      signal.removeEventListener("abort", abort);
      resolve(Buffer.concat(chunks));
    };
    signal.addEventListener("abort", abort, { once: true });
    // Any other error is that of a peer that is gone: `close` follows, and its answer, if any, tells why.
    from.on("error", (error) => {
      if (error instanceof HengeError) reject(error);
    });
    from.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      if (!Buffer.concat(chunks).equals(OK)) return;
      from.end(CONFIRMED);
      settle();
    });
    from.once("end", () => from.destroy());
    from.once("close", settle);
  });
}
