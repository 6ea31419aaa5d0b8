// The daemon's end of a spawner: what it must not have run as its own child, in what confines it, is run there.

import { text } from "node:stream/consumers";
import type { Socket } from "node:net";

import type { Run } from "../command.js";
import { KernelError } from "../errors.js";
import { connectSocket, deadline, failureOf } from "./connection.js";
import { FRAME_MAX_BYTES, decodeStrings, encodeStrings } from "./frames.js";

const LENGTH_BYTES = 4;
const DEADLINE_MS = 30_000;

/** Sends a request; what comes back on the connection is the answer of whatever is run. */
export async function askSpawner(
  path: string,
  request: readonly string[],
  signal: AbortSignal,
): Promise<Socket> {
  const payload = encodeStrings(request);
  if (payload.length > FRAME_MAX_BYTES) throw new KernelError("request", "EMSGSIZE", { path });
  const head = Buffer.alloc(LENGTH_BYTES);
  head.writeUInt32LE(payload.length);
  const socket = await connectSocket(path, signal);
  socket.write(Buffer.concat([head, payload]));
  return socket;
}

/**
 * Runs `henge-helper --probe …` beside the wardens: what it finds holds for cells, not for the daemon's sandbox.
 * @throws {KernelError} the spawner cannot be reached, or cannot run it
 * @throws {HengeError} DEADLINE: it did not end in time
 */
export function probeBySpawner(path: string): Run {
  return async ([, , ...words], { timeoutMs = DEADLINE_MS, signal } = {}) => {
    const own = AbortSignal.timeout(timeoutMs);
    const limit = signal === undefined ? own : AbortSignal.any([own, signal]);
    const socket = await askSpawner(path, ["probe", ...words], limit);
    const abort = () => socket.destroy(deadline("probe", limit));
    limit.addEventListener("abort", abort, { once: true });
    try {
      const said = await text(socket);
      const [verdict, ...rest] = decodeStrings(Buffer.from(said));
      if (verdict === "failed") throw failureOf(rest);
      return said;
    } finally {
      limit.removeEventListener("abort", abort);
      socket.destroy();
    }
  };
}
