// Starts henge-warden: directives on descriptor 3, its answer on 4, a network namespace to join on 5.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { open } from "node:fs/promises";
import type { Duplex, Writable } from "node:stream";

import { KernelError, errnoOf } from "../errors.js";
import type { CellName } from "../spec/index.js";
import { deadline, failureOf } from "./connection.js";
import { decodeStrings, encodeStrings } from "./frames.js";

const OK = Buffer.from("ok\0");
const CONFIRMED = Buffer.from("1");

/**
 * Resolves when the cell is built and its warden serves.
 * @throws {KernelError} what failed; then nothing is left behind
 */
export async function spawnWarden(
  binary: string,
  cell: CellName,
  directives: readonly string[],
  networkOf: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  const network = networkOf === undefined ? undefined : await openNetwork(networkOf);
  try {
    const child = spawn(binary, [cell], {
      env: {},
      cwd: "/",
      argv0: "henge-warden",
      stdio: ["ignore", "ignore", "ignore", "pipe", "pipe", network?.fd ?? "ignore"],
    });
    const [verdict, ...rest] = decodeStrings(await talk(child, encodeStrings(directives), signal));
    if (verdict === "ok") return;
    if (verdict === "failed") throw failureOf(rest);
    throw new KernelError("warden", "EPIPE", {
      path: cell,
      hint: "the warden ended without an answer",
    });
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

/** Returns the whole answer; an `ok` is confirmed first, for an unconfirmed warden takes down what it built. */
async function talk(child: ChildProcess, directives: Buffer, signal: AbortSignal): Promise<Buffer> {
  const [to, from] = [child.stdio[3] as Writable, child.stdio[4] as Duplex];
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
    child.once("error", (error) => {
      reject(new KernelError("exec", errnoOf(error), { path: child.spawnfile, cause: error }));
    });
    to.on("error", () => undefined); // EPIPE: it ended before it read all; its answer tells why.
    from.on("error", () => undefined);
    from.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      if (!Buffer.concat(chunks).equals(OK)) return;
      from.end(CONFIRMED);
      settle();
    });
    from.once("close", settle);
    to.end(directives);
  });
}
