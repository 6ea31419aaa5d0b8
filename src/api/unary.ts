// Makes a gRPC handler of an async function. Nothing it throws, in whatever way, reaches the process.

import type { EventEmitter } from "node:events";

import type { StatusObject, handleUnaryCall, sendUnaryData } from "@grpc/grpc-js";

import { askerOf } from "./asker.js";
import type { Asker } from "./asker.js";

export type ToStatus = (error: unknown) => StatusObject;

export function unary<Request, Reply>(
  handle: (request: Request, signal: AbortSignal, asker: Asker) => Promise<Reply>,
  toStatus: ToStatus,
): handleUnaryCall<Request, Reply> {
  return (call, callback) => {
    const signal = cancellationOf(call);
    // `answer` itself fails only when the reply cannot be sent, and then there is nobody to tell.
    answer(() => handle(call.request, signal, askerOf(call)), callback, toStatus).catch(toStatus);
  };
}

async function answer<Reply>(
  run: () => Promise<Reply>,
  callback: sendUnaryData<Reply>,
  toStatus: ToStatus,
) {
  let reply: Reply;
  try {
    reply = await run();
  } catch (error) {
    callback(toStatus(error));
    return;
  }
  callback(null, reply);
}

/** Aborts when the client is gone, has cancelled, or its deadline has passed. */
export function cancellationOf(call: EventEmitter & { readonly cancelled: boolean }): AbortSignal {
  const controller = new AbortController();
  call.on("cancelled", () => {
    controller.abort();
  });
  if (call.cancelled) controller.abort();
  return controller.signal;
}
