// One connection to a warden: requests with their answers, and events.

import { connect } from "node:net";
import type { Socket } from "node:net";
import { constants } from "node:os";

import { HengeError, KernelError, errnoOf } from "../errors.js";
import { failureWords } from "./failure-words.js";
import {
  FrameReader,
  REPLY,
  REQUEST,
  decodeStrings,
  encodeFrame,
  encodeStrings,
} from "./frames.js";
import type { Frame } from "./frames.js";

export async function connectSocket(path: string, signal: AbortSignal): Promise<Socket> {
  return await new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true });
    const abort = () => {
      socket.destroy();
      reject(deadline(`connect to ${path}`, signal));
    };
    socket.once("error", (error) => {
      signal.removeEventListener("abort", abort);
      reject(new KernelError("connect", errnoOf(error), { path, cause: error }));
    });
    socket.once("connect", () => {
      signal.removeEventListener("abort", abort);
      socket.removeAllListeners("error");
      socket.on("error", () => socket.destroy()); // `close` follows and tells it.
      resolve(socket);
    });
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}

// The first of two names of one number: EAGAIN, not EWOULDBLOCK.
const ERRNO_NAMES = new Map<number, string>();
for (const [name, number] of Object.entries(constants.errno)) {
  if (!ERRNO_NAMES.has(number)) ERRNO_NAMES.set(number, name);
}

/** `op`, errno and path as the warden sent them. */
export function failureOf(strings: readonly string[]): KernelError {
  const [op = "warden", errno = "0", path = ""] = strings;
  const name = ERRNO_NAMES.get(Number(errno)) ?? `E${errno}`;
  return new KernelError(op, name, {
    ...(path === "" ? {} : { path }),
    ...failureWords(op, name, path),
  });
}

export function deadline(what: string, signal: AbortSignal): HengeError {
  return new HengeError("DEADLINE", `cannot ${what}: gave up waiting`, { cause: signal.reason });
}

interface Waiting {
  readonly resolve: (strings: string[]) => void;
  readonly reject: (error: Error) => void;
}

export class Connection {
  private readonly socket: Socket;
  private readonly waiting = new Map<number, Waiting>();
  private lastSeq = 0;
  private closed = false;

  constructor(socket: Socket, onEvent: (strings: readonly string[]) => void, onClose: () => void) {
    this.socket = socket;
    const reader = new FrameReader();
    socket.on("data", (chunk: Buffer) => {
      try {
        for (const frame of reader.push(chunk)) this.receive(frame, onEvent);
      } catch (error) {
        socket.destroy(error instanceof Error ? error : undefined);
      }
    });
    socket.once("end", () => socket.destroy());
    socket.once("close", () => {
      this.closed = true;
      for (const { reject } of this.waiting.values()) reject(gone());
      this.waiting.clear();
      onClose();
    });
  }

  /** @throws {KernelError} what the warden says failed */
  async request(
    type: keyof typeof REQUEST,
    strings: readonly string[],
    signal: AbortSignal,
  ): Promise<string[]> {
    if (signal.aborted) throw deadline(type, signal);
    if (this.closed) throw gone();
    const seq = ++this.lastSeq;
    return await new Promise((resolve, reject) => {
      const abort = () => {
        this.waiting.delete(seq);
        reject(deadline(type, signal));
      };
      const settled = () => {
        signal.removeEventListener("abort", abort);
      };
      this.waiting.set(seq, {
        resolve: (answer) => {
          settled();
          resolve(answer);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      });
      signal.addEventListener("abort", abort, { once: true });
      this.socket.write(encodeFrame(REQUEST[type], seq, encodeStrings(strings)));
    });
  }

  close(): void {
    this.socket.destroy();
  }

  private receive(frame: Frame, onEvent: (strings: readonly string[]) => void): void {
    const strings = decodeStrings(frame.payload);
    if (frame.type === REPLY.event) {
      onEvent(strings);
      return;
    }
    const waiting = this.waiting.get(frame.seq);
    this.waiting.delete(frame.seq);
    if (frame.type === REPLY.ok) waiting?.resolve(strings);
    else waiting?.reject(failureOf(strings));
  }
}

function gone(): HengeError {
  return new HengeError("WRONG_STATE", "cannot ask the warden: it is gone");
}
