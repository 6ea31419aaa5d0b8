// The service as proto/henge/v1 says it: loaded from there at run time, typed by what proto/generate makes of it.

import { join } from "node:path";

import type { MethodDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

import { packageDirectory } from "../package.js";
import type { Asker } from "./asker.js";
import type { Henge } from "./gen/henge/v1/henge.js";

export type RpcName = keyof Henge;
type Request<Rpc extends RpcName> = Parameters<Henge[Rpc]>[0];
export type UnaryName = {
  [Rpc in RpcName]: ReturnType<Henge[Rpc]> extends Promise<unknown> ? Rpc : never;
}[RpcName];
export type StreamName = Exclude<RpcName, UnaryName | "Exec">;
/** What a call answers with: once, or in a stream. */
export type Reply<Rpc extends RpcName> =
  ReturnType<Henge[Rpc]> extends Promise<infer One>
    ? One
    : ReturnType<Henge[Rpc]> extends AsyncIterable<infer Each>
      ? Each
      : never;

/** What answers a call; `signal` aborts when its client is gone or its deadline has passed. */
export type Handler<Rpc extends RpcName> = (
  request: Request<Rpc>,
  signal: AbortSignal,
  asker: Asker,
) => ReturnType<Henge[Rpc]>;

/** What a call sends: once, or in a stream. */
export type Message<Rpc extends RpcName> =
  Request<Rpc> extends AsyncIterable<infer Each> ? Each : Request<Rpc>;
type Methods = { readonly [Rpc in RpcName]: MethodDefinition<Message<Rpc>, Reply<Rpc>> };

// The options of proto/generate say the same; a field that is not set and has no default stays absent.
const definition = loadSync("henge/v1/henge.proto", {
  includeDirs: [join(packageDirectory, "proto")],
  keepCase: false,
  longs: Number,
  enums: String,
  defaults: true,
});

export const SERVICE_NAME = "henge.v1.Henge";
export const hengeService = definition[SERVICE_NAME] as unknown as Methods;

/** Metadata of a failed call: its ErrorCode, and a JSON object of what is known beyond the message. */
export const ERROR_CODE_KEY = "henge-error-code";
export const ERROR_DETAIL_KEY = "henge-error-bin";

export interface ErrorDetail {
  readonly problems?: readonly { path: string; line: number; column: number; text: string }[];
  readonly hint?: string | undefined;
  /** Of a system call that was refused, e.g. `exec` and `ENOENT`. */
  readonly op?: string;
  readonly errno?: string;
}
