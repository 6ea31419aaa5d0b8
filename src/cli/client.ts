// The typed client of one daemon. Every call has a deadline; every failure comes out as a HengeError.

import { connect as connectSocket } from "node:net";
import { once } from "node:events";

import { Client as GrpcClient, Metadata, credentials, status } from "@grpc/grpc-js";
import type { ClientDuplexStream, ServiceError } from "@grpc/grpc-js";

import { CALLER_KEY, TIMEOUT_KEY } from "../api/asker.js";
import { ERROR_CODE_KEY, ERROR_DETAIL_KEY, SERVICE_NAME, hengeService } from "../api/service.js";
import type {
  ErrorDetail,
  Message,
  Reply,
  RpcName,
  StreamName,
  UnaryName,
} from "../api/service.js";
import type { ExecReply, ExecRequest } from "../api/gen/henge/v1/henge.js";
import { ERROR_CODES, HengeError, describeErrno, errnoOf } from "../errors.js";
import type { ErrorCode } from "../errors.js";
import { DaemonError } from "./failure.js";

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const DAY = 24 * HOUR;

// Of a call from its beginning. What only looks is short; where units are waited for, or read along, it is long.
const LOOK_MS = 60 * SECOND;
const CHANGE_MS = 12 * HOUR;
const FOLLOW_MS = 7 * DAY;
const FOLLOWING: readonly RpcName[] = ["Logs", "Events", "Follow", "Exec"];
const CHANGING: readonly RpcName[] = [
  ...(["Apply", "Upgrade", "Start", "Stop", "Restart", "Free", "Halt"] as const),
  ...(["Snapshot", "DestroySnapshot", "Rollback", "Clone"] as const),
];

function deadlineOf(rpc: RpcName): number {
  const ms = FOLLOWING.includes(rpc) ? FOLLOW_MS : CHANGING.includes(rpc) ? CHANGE_MS : LOOK_MS;
  return Date.now() + ms;
}

/** What only looks is asked again when the daemon that was asked ended meanwhile: the next one answers. */
const SERVICE_CONFIG = {
  loadBalancingConfig: [],
  methodConfig: [
    {
      name: (
        [
          "Plan",
          "Validate",
          "List",
          "Get",
          "Snapshots",
          "Operations",
          "Doctor",
          "Version",
        ] satisfies UnaryName[]
      ).map((method) => ({ service: SERVICE_NAME, method })),
      retryPolicy: {
        maxAttempts: 5,
        initialBackoff: "0.1s",
        maxBackoff: "1s",
        backoffMultiplier: 2,
        retryableStatusCodes: ["UNAVAILABLE"],
      },
    },
  ],
};
/** A daemon that is not there is known at once; this is for a socket whose daemon is being started, or hangs. */
export const PATIENCE_MS = 60 * SECOND;

export interface StreamOptions {
  /** The operation is ended between two steps when it takes longer. */
  readonly timeoutMs?: number;
  /** Reads no more when it aborts. */
  readonly signal?: AbortSignal;
}

export interface Client {
  call<Rpc extends UnaryName>(rpc: Rpc, request: Message<Rpc>): Promise<Reply<Rpc>>;
  stream<Rpc extends StreamName>(
    rpc: Rpc,
    request: Message<Rpc>,
    options?: StreamOptions,
  ): AsyncIterable<Reply<Rpc>>;
  /** Read it with `replies`. */
  exec(): ClientDuplexStream<ExecRequest, ExecReply>;
  replies(call: ClientDuplexStream<ExecRequest, ExecReply>): AsyncIterable<ExecReply>;
  close(): void;
}

/** @throws {HengeError} UNREACHABLE: no daemon answers there; PEER_DENIED: the socket is not for this user */
export async function connect(
  socketPath: string,
  startHint: string,
  patienceMs = PATIENCE_MS,
  caller = "root",
): Promise<Client> {
  await probe(socketPath, startHint);
  const grpc = new GrpcClient(`unix:${socketPath}`, credentials.createInsecure(), {
    "grpc.enable_http_proxy": 0,
    "grpc.service_config": JSON.stringify(SERVICE_CONFIG),
  });
  try {
    await ready(grpc, socketPath, patienceMs);
  } catch (error) {
    grpc.close();
    throw error;
  }
  return clientOver(grpc, caller);
}

/** What grpc-js says of a socket that cannot be opened has no errno in it. */
async function probe(socketPath: string, startHint: string): Promise<void> {
  const socket = connectSocket(socketPath);
  try {
    await once(socket, "connect");
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "EACCES" || errno === "EPERM") {
      const hint = "only root may open it: use sudo";
      throw new HengeError("PEER_DENIED", `cannot open ${socketPath}: permission denied`, {
        cause: error,
        hint,
      });
    }
    const message = `cannot reach henged at ${socketPath}: ${describeErrno(errno)}`;
    throw new HengeError("UNREACHABLE", message, { cause: error, hint: startHint });
  } finally {
    socket.destroy();
  }
}

function ready(grpc: GrpcClient, socketPath: string, patienceMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    grpc.waitForReady(Date.now() + patienceMs, (error) => {
      if (error === undefined) resolve();
      else {
        const message = `cannot reach henged at ${socketPath}: it does not answer`;
        reject(new HengeError("UNREACHABLE", message, { cause: error, hint: "see its log" }));
      }
    });
  });
}

function clientOver(grpc: GrpcClient, caller: string): Client {
  return {
    call: (rpc, request) => callOnce(grpc, rpc, request, metadataOf(caller)),
    stream: (rpc, request, { timeoutMs, signal } = {}) => {
      const { path, requestSerialize, responseDeserialize } = hengeService[rpc];
      const options = { deadline: deadlineOf(rpc) };
      const metadata = metadataOf(caller, timeoutMs);
      const call = grpc
        .makeServerStreamRequest(
          ...([path, requestSerialize, responseDeserialize, request, metadata, options] as const),
        )
        .on("error", heardByReader);
      signal?.addEventListener("abort", () => {
        call.cancel();
      });
      if (signal?.aborted === true) call.cancel();
      return read(call);
    },
    exec: () => {
      const { path, requestSerialize, responseDeserialize } = hengeService.Exec;
      const options = { deadline: deadlineOf("Exec") };
      const call = grpc.makeBidiStreamRequest(
        ...([path, requestSerialize, responseDeserialize, metadataOf(caller), options] as const),
      );
      return call.on("error", heardByReader);
    },
    replies: read,
    close: () => {
      grpc.close();
    },
  };
}

function metadataOf(caller: string, timeoutMs?: number): Metadata {
  const metadata = new Metadata();
  metadata.set(CALLER_KEY, caller.replace(/[^\x20-\x7e]/g, "?"));
  if (timeoutMs !== undefined) metadata.set(TIMEOUT_KEY, String(timeoutMs));
  return metadata;
}

function callOnce<Rpc extends UnaryName>(
  grpc: GrpcClient,
  rpc: Rpc,
  request: Message<Rpc>,
  metadata: Metadata,
): Promise<Reply<Rpc>> {
  const { path, requestSerialize, responseDeserialize } = hengeService[rpc];
  const options = { deadline: deadlineOf(rpc) };
  return new Promise((resolve, reject) => {
    const callback = (error: ServiceError | null, reply?: Reply<Rpc>) => {
      if (error !== null) reject(fromStatus(error));
      else if (reply !== undefined) resolve(reply);
    };
    grpc.makeUnaryRequest(
      ...([
        path,
        requestSerialize,
        responseDeserialize,
        request,
        metadata,
        options,
        callback,
      ] as const),
    );
  });
}

/** `read` throws it; an error event without a listener, as after a cancellation, would end the process. */
function heardByReader(): void {
  // Nothing to do twice.
}

async function* read<Item>(
  call: AsyncIterable<unknown> & { cancel(): void },
): AsyncGenerator<Item> {
  try {
    for await (const item of call) yield item as Item;
  } catch (error) {
    throw isServiceError(error) ? fromStatus(error) : error;
  } finally {
    call.cancel(); // Whoever stops reading wants no more; a call that has ended does not mind.
  }
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "metadata" in error && "details" in error;
}

/** The code the daemon told, else what gRPC itself found. */
function fromStatus(error: ServiceError): HengeError {
  const told = error.metadata.get(ERROR_CODE_KEY)[0];
  const code = ERROR_CODES.find((known) => known === told);
  if (code !== undefined) return new DaemonError(code, error.details, detailOf(error.metadata));
  return new HengeError(codeOfStatus(error.code), `cannot complete the call: ${error.details}`, {
    cause: error,
  });
}

function detailOf(metadata: Metadata): ErrorDetail {
  const [detail] = metadata.get(ERROR_DETAIL_KEY);
  return Buffer.isBuffer(detail) ? (JSON.parse(detail.toString("utf8")) as ErrorDetail) : {};
}

function codeOfStatus(code: status): ErrorCode {
  // A daemon that ends cancels what is under way.
  if (code === status.UNAVAILABLE || code === status.CANCELLED) return "UNREACHABLE";
  if (code === status.DEADLINE_EXCEEDED) return "DEADLINE";
  if (code === status.RESOURCE_EXHAUSTED) return "OVER_CAPACITY";
  return "INTERNAL";
}
