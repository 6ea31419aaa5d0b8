// What an error code looks like from outside: its gRPC status and the exit of the CLI. Only the edges read this.

import type { status } from "@grpc/grpc-js";

import type { ErrorCode } from "./errors.js";

interface Surface {
  readonly status: keyof typeof status;
  /** Of sysexits.h, where it has a word for it. */
  readonly exit: number;
}

export const SURFACE = {
  USAGE: { status: "INVALID_ARGUMENT", exit: 64 },
  MANIFEST_INVALID: { status: "INVALID_ARGUMENT", exit: 65 },
  INVALID_REQUEST: { status: "INVALID_ARGUMENT", exit: 64 },
  CELL_NOT_FOUND: { status: "NOT_FOUND", exit: 66 },
  UNIT_NOT_FOUND: { status: "NOT_FOUND", exit: 66 },
  SNAPSHOT_NOT_FOUND: { status: "NOT_FOUND", exit: 66 },
  CELL_EXISTS: { status: "ALREADY_EXISTS", exit: 73 },
  SNAPSHOT_EXISTS: { status: "ALREADY_EXISTS", exit: 73 },
  OPERATION_NOT_FOUND: { status: "NOT_FOUND", exit: 66 },
  OPERATION_EXISTS: { status: "ALREADY_EXISTS", exit: 73 },
  /** As a shell says it of a command that SIGINT ended. */
  CANCELLED: { status: "CANCELLED", exit: 130 },
  WRONG_STATE: { status: "FAILED_PRECONDITION", exit: 1 },
  BUSY: { status: "ABORTED", exit: 75 },
  DEADLINE: { status: "DEADLINE_EXCEEDED", exit: 75 },
  PEER_DENIED: { status: "PERMISSION_DENIED", exit: 77 },
  UNREACHABLE: { status: "UNAVAILABLE", exit: 69 },
  OVER_CAPACITY: { status: "RESOURCE_EXHAUSTED", exit: 71 },
  KERNEL_REFUSED: { status: "INTERNAL", exit: 71 },
  INTERNAL: { status: "INTERNAL", exit: 70 },
} as const satisfies Record<ErrorCode, Surface>;
