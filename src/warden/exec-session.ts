// The two uses of a connection of its own: a command in the cell with its input and output, and a dialled port.

import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

import { HengeError } from "../errors.js";
import type { ExitStatus } from "../spec/index.js";
import { connectSocket, deadline, failureOf } from "./connection.js";
import { execDirectives } from "./directives.js";
import { exitStatusOf } from "./exits.js";
import {
  FrameReader,
  REPLY,
  REQUEST,
  decodeStrings,
  encodeFrame,
  encodeStrings,
} from "./frames.js";
import type { Frame } from "./frames.js";
import type { ExecRequest, ExecSession } from "./port.js";

/** Small enough that one frame never holds the warden's handler up. */
const STDIN_FRAME_BYTES = 32 * 1024;

type OutputListener = (stream: "stdout" | "stderr", chunk: Buffer) => void;

class Session implements ExecSession {
  readonly exit: Promise<ExitStatus>;
  private readonly socket: Socket;
  private readonly listeners: OutputListener[] = [];
  /** Output that came before anyone listened. */
  private early: Parameters<OutputListener>[] = [];

  constructor(socket: Socket, reader: FrameReader, signal: AbortSignal) {
    this.socket = socket;
    const abort = () => socket.destroy(); // The warden kills the leaf when its connection ends.
    signal.addEventListener("abort", abort, { once: true });
    this.exit = new Promise((resolve, reject) => {
      const take = (frames: readonly Frame[]) => {
        for (const frame of frames) this.receive(frame, resolve);
      };
      socket.on("data", (chunk: Buffer) => {
        try {
          take(reader.push(chunk));
        } catch {
          socket.destroy();
        }
      });
      socket.once("end", () => socket.destroy());
      socket.once("close", () => {
        signal.removeEventListener("abort", abort);
        reject(signal.aborted ? deadline("exec", signal) : lost());
      });
      take(reader.push(Buffer.alloc(0)));
    });
    this.exit.catch(() => undefined); // Whoever awaits `exit` sees it; nobody has to.
  }

  onOutput(listener: OutputListener): void {
    this.listeners.push(listener);
    for (const [stream, chunk] of this.early) listener(stream, chunk);
    this.early = [];
  }

  write(chunk: Buffer): boolean {
    let flowing = true;
    for (let at = 0; at < chunk.length; at += STDIN_FRAME_BYTES) {
      flowing = this.send(REQUEST.stdin, chunk.subarray(at, at + STDIN_FRAME_BYTES));
    }
    return flowing;
  }

  onDrain(listener: () => void): void {
    this.socket.on("drain", listener);
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  end(): void {
    this.send(REQUEST.stdinEnd, Buffer.alloc(0));
  }

  resize(rows: number, columns: number): void {
    this.send(REQUEST.resize, encodeStrings([String(rows), String(columns)]));
  }

  private send(type: number, payload: Buffer): boolean {
    return !this.socket.destroyed && this.socket.write(encodeFrame(type, 1, payload));
  }

  private receive(frame: Frame, resolve: (exit: ExitStatus) => void): void {
    if (frame.type === REPLY.stdout) this.output("stdout", frame.payload);
    else if (frame.type === REPLY.stderr) this.output("stderr", frame.payload);
    else if (frame.type === REPLY.exit) {
      const [status = 0, atMs = 0] = decodeStrings(frame.payload).map(Number);
      resolve(exitStatusOf(status, atMs));
      this.socket.destroy();
    }
  }

  private output(stream: "stdout" | "stderr", chunk: Buffer): void {
    if (this.listeners.length === 0) this.early.push([stream, chunk]);
    for (const listener of this.listeners) listener(stream, chunk);
  }
}

export async function openExec(
  path: string,
  request: ExecRequest,
  signal: AbortSignal,
): Promise<ExecSession> {
  const { socket, reader } = await ask(path, REQUEST.exec, execDirectives(request), signal);
  return new Session(socket, reader, signal);
}

export async function openDial(path: string, port: number, signal: AbortSignal): Promise<Duplex> {
  const { socket, reader } = await ask(path, REQUEST.dial, [String(port)], signal);
  const rest = reader.rest();
  if (rest.length > 0) socket.unshift(rest);
  return socket;
}

/** Sends the first frame of a fresh connection and returns once the warden has said OK. */
async function ask(path: string, type: number, strings: readonly string[], signal: AbortSignal) {
  const socket = await connectSocket(path, signal);
  const reader = new FrameReader();
  socket.write(encodeFrame(type, 1, encodeStrings(strings)));
  try {
    const frame = await firstFrame(socket, reader, signal);
    if (frame.type !== REPLY.ok) throw failureOf(decodeStrings(frame.payload));
    return { socket, reader };
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

async function firstFrame(
  socket: Socket,
  reader: FrameReader,
  signal: AbortSignal,
): Promise<Frame> {
  return await new Promise((resolve, reject) => {
    const abort = () => {
      done(() => {
        reject(deadline("reach into the cell", signal));
      });
    };
    const close = () => {
      done(() => {
        reject(lost());
      });
    };
    // `readable`, not `data`: without its listener the socket is as if nobody had read from it yet.
    const readable = () => {
      const chunk = socket.read() as Buffer | null;
      const frame = chunk === null ? undefined : reader.pushOne(chunk);
      if (frame === undefined) return;
      done(() => {
        resolve(frame);
      });
    };
    const done = (settle: () => void) => {
      signal.removeEventListener("abort", abort);
      socket.off("readable", readable).off("close", close).off("end", close);
      settle();
    };
    signal.addEventListener("abort", abort, { once: true });
    socket.on("readable", readable).once("close", close).once("end", close);
  });
}

function lost(): HengeError {
  return new HengeError("WRONG_STATE", "cannot go on: the warden's connection ended");
}
