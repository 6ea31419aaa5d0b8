// Makes gRPC handlers of functions that answer with an async iterable: the next item is asked for only when the
// client has room for it. Nothing they throw, in whatever way, reaches the process.

import { once } from "node:events";

import type {
  ServerDuplexStream,
  ServerWritableStream,
  handleBidiStreamingCall,
  handleServerStreamingCall,
} from "@grpc/grpc-js";

import { askerOf } from "./asker.js";
import type { Asker } from "./asker.js";
import { cancellationOf } from "./unary.js";
import type { ToStatus } from "./unary.js";

export function serverStream<Request, Reply>(
  handle: (request: Request, signal: AbortSignal, asker: Asker) => AsyncIterable<Reply>,
  toStatus: ToStatus,
): handleServerStreamingCall<Request, Reply> {
  return (call) => {
    const signal = cancellationOf(call);
    pump(call, () => handle(call.request, signal, askerOf(call)), signal, toStatus).catch(toStatus);
  };
}

export function bidiStream<Request, Reply>(
  handle: (
    requests: AsyncIterable<Request>,
    signal: AbortSignal,
    asker: Asker,
  ) => AsyncIterable<Reply>,
  toStatus: ToStatus,
): handleBidiStreamingCall<Request, Reply> {
  return (call) => {
    const signal = cancellationOf(call);
    // By default the end of the requests would destroy the stream, and the replies with it.
    const requests = call.iterator({ destroyOnReturn: false }) as AsyncIterable<Request>;
    pump(call, () => handle(requests, signal, askerOf(call)), signal, toStatus).catch(toStatus);
  };
}

async function pump<Request, Reply>(
  call: ServerWritableStream<Request, Reply> | ServerDuplexStream<Request, Reply>,
  run: () => AsyncIterable<Reply>,
  signal: AbortSignal,
  toStatus: ToStatus,
): Promise<void> {
  try {
    for await (const item of run()) {
      if (signal.aborted) return;
      if (!call.write(item)) await once(call, "drain", { signal });
    }
    call.end();
  } catch (error) {
    // The client is gone: what stopped because of that is not an error, and nobody hears it.
    if (!signal.aborted) call.emit("error", toStatus(error));
  }
}
