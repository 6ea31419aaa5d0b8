// Who makes a call and how long they wait: what its metadata says beside the request.

import type { Metadata } from "@grpc/grpc-js";

import { HengeError } from "../errors.js";

export const CALLER_KEY = "henge-caller";
export const TIMEOUT_KEY = "henge-timeout-ms";

export interface Asker {
  readonly caller: string;
  readonly timeoutMs?: number;
}

const UNKNOWN = "root";
const CALLER_MAX = 64;
// setTimeout(3) of Node holds 24 days.
const TIMEOUT_MAX_MS = 20 * 86_400_000;

/** @throws {HengeError} INVALID_REQUEST: the timeout is no number of milliseconds */
export function askerOf({ metadata }: { readonly metadata: Metadata }): Asker {
  const [caller] = metadata.get(CALLER_KEY);
  const [timeout] = metadata.get(TIMEOUT_KEY);
  return {
    caller: typeof caller === "string" && caller !== "" ? caller.slice(0, CALLER_MAX) : UNKNOWN,
    ...(timeout === undefined ? {} : { timeoutMs: timeoutFrom(String(timeout)) }),
  };
}

function timeoutFrom(text: string): number {
  const ms = Number(text);
  if (Number.isSafeInteger(ms) && ms > 0 && ms <= TIMEOUT_MAX_MS) return ms;
  throw new HengeError(
    "INVALID_REQUEST",
    `cannot use ${JSON.stringify(text)} for ${TIMEOUT_KEY}: it is a number of milliseconds, 1 to ${String(TIMEOUT_MAX_MS)}`,
  );
}
