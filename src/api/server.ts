// The gRPC server on the daemon's unix socket. Who can open the socket is root here: it is the only authorisation.

import { createServer } from "node:net";

import { Server, ServerCredentials } from "@grpc/grpc-js";
import type { ServerOptions } from "@grpc/grpc-js";

import type { Logger } from "../log.js";
import type { Control } from "../reconcile/control.js";
import { implementationOf } from "./handlers.js";
import { hengeService } from "./service.js";
import { listenOn } from "./socket.js";
import type { SocketSource } from "./socket.js";

// The defaults let one client hold the daemon's memory (4 MiB a message, streams and idle time without limit).
const LIMITS: ServerOptions = {
  "grpc.max_receive_message_length": 256 * 1024,
  "grpc.max_concurrent_streams": 32,
  "grpc.keepalive_time_ms": 30_000,
  "grpc.keepalive_timeout_ms": 5_000,
  "grpc.max_connection_idle_ms": 5 * 60_000,
};
const CONNECTIONS_MAX = 128;
const CLOSE_GRACE_MS = 1_000;

export interface ServeOptions {
  readonly control: Control;
  readonly socket: SocketSource;
  readonly log: Logger;
}

/** @throws {HengeError} USAGE, WRONG_STATE: see listenOn */
export async function serve(options: ServeOptions): Promise<{ close(): Promise<void> }> {
  const server = new Server(LIMITS);
  server.addService(hengeService, implementationOf(options.control, options.log));
  // A listener of our own: grpc-js neither limits connections nor says which mode its socket gets.
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const listener = createServer((socket) => {
    injector.injectConnection(socket);
  });
  listener.maxConnections = CONNECTIONS_MAX;
  const removeSocket = await listenOn(listener, options.socket);
  listener.on("error", (error) => {
    options.log.error({ err: error }, "cannot accept a connection");
  });
  return {
    async close() {
      await removeSocket();
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      injector.drain(CLOSE_GRACE_MS);
      await closed;
      server.forceShutdown();
    },
  };
}
