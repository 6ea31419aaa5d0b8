// An error as a client sees it: status, message, code and detail. What is not a HengeError is a bug: it is logged in
// full and answered «internal error».

import { Metadata, status } from "@grpc/grpc-js";
import type { StatusObject } from "@grpc/grpc-js";

import { HengeError, KernelError, ManifestError } from "../errors.js";
import type { Problem } from "../errors.js";
import type { Logger } from "../log.js";
import { SURFACE } from "../surface.js";
import { ERROR_CODE_KEY, ERROR_DETAIL_KEY } from "./service.js";
import type { ErrorDetail } from "./service.js";

// HTTP/2 trailers beyond 64 KiB reset the stream, and the client would learn nothing: `%`-coding makes a character
// nine bytes at most, base64 makes three bytes four.
const MESSAGE_MAX_CHARACTERS = 1024;
const PROBLEMS_MAX_BYTES = 24 * 1024;

export function statusOf(error: unknown, rpc: string, log: Logger): StatusObject {
  if (!(error instanceof HengeError) || error.code === "INTERNAL") {
    log.error({ err: error, rpc }, "cannot answer a call");
    return statusObject("INTERNAL", "internal error", { hint: "the log of henged has it in full" });
  }
  if (SURFACE[error.code].status === "INTERNAL") log.warn({ err: error, rpc }, "a call failed");
  return statusObject(error.code, error.message, detailOf(error));
}

function statusObject(
  code: HengeError["code"],
  message: string,
  detail: ErrorDetail,
): StatusObject {
  const metadata = new Metadata();
  metadata.set(ERROR_CODE_KEY, code);
  metadata.set(ERROR_DETAIL_KEY, Buffer.from(JSON.stringify(detail)));
  return { code: status[SURFACE[code].status], details: clip(message), metadata };
}

function detailOf(error: HengeError): ErrorDetail {
  return {
    hint: error.hint === undefined ? undefined : clip(error.hint),
    ...(error instanceof ManifestError ? { problems: fitting(error.problems) } : {}),
    ...(error instanceof KernelError ? { op: error.op, errno: error.errno } : {}),
  };
}

function fitting(problems: readonly Problem[]): readonly Problem[] {
  let bytes = 0;
  const kept = problems.filter((problem) => {
    bytes += Buffer.byteLength(JSON.stringify(problem));
    return bytes <= PROBLEMS_MAX_BYTES;
  });
  const last = problems.at(kept.length);
  if (last === undefined) return kept;
  const text = `and ${String(problems.length - kept.length)} more problems`;
  return [...kept, { path: "", line: last.line, column: last.column, text }];
}

/** Also replaces half surrogate pairs, on which the encoding of a status message throws. */
function clip(text: string): string {
  const head =
    text.length > MESSAGE_MAX_CHARACTERS ? `${text.slice(0, MESSAGE_MAX_CHARACTERS)}…` : text;
  return Buffer.from(head, "utf8").toString("utf8");
}
