// The error codes and their classes. A typed error means the caller can act; anything else thrown is a bug.

import { describeErrno } from "./errno.js";

export { describeErrno };

export const ERROR_CODES = [
  "USAGE",
  "MANIFEST_INVALID",
  "INVALID_REQUEST",
  "CELL_NOT_FOUND",
  "UNIT_NOT_FOUND",
  "SNAPSHOT_NOT_FOUND",
  "CELL_EXISTS",
  "SNAPSHOT_EXISTS",
  "OPERATION_NOT_FOUND",
  "OPERATION_EXISTS",
  "CANCELLED",
  "WRONG_STATE",
  "BUSY",
  "DEADLINE",
  "PEER_DENIED",
  "UNREACHABLE",
  "OVER_CAPACITY",
  "KERNEL_REFUSED",
  "INTERNAL",
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

export interface ErrorOptions {
  readonly cause?: unknown;
  /** What to do about it, one sentence. */
  readonly hint?: string;
}

/** An error the caller can act on; its message starts with «cannot» and names the object. */
export class HengeError extends Error {
  override readonly name: string = "HengeError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }
}

/** One thing wrong with a manifest. Line and column count from 1. */
export interface Problem {
  /** e.g. `cells.web.units.puma.argv[0]`; empty for the whole file. */
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

/** All that is wrong with one manifest, in the order of its lines. */
export class ManifestError extends HengeError {
  override readonly name = "ManifestError";
  readonly problems: readonly Problem[];
  constructor(file: string, problems: readonly Problem[], options: ErrorOptions = {}) {
    const count = problems.length === 1 ? "1 problem" : `${String(problems.length)} problems`;
    super("MANIFEST_INVALID", `cannot use ${file}: ${count}`, options);
    this.problems = problems;
  }
}

interface KernelErrorOptions extends ErrorOptions {
  readonly path?: string;
  /** Better words than those of the errno. */
  readonly message?: string;
  /** Another code, where it is not the kernel that is at fault. */
  readonly code?: ErrorCode;
}

/** A system call the kernel refused. `errno` is its name, e.g. ENOENT. */
export class KernelError extends HengeError {
  override readonly name = "KernelError";
  readonly op: string;
  readonly errno: string;
  readonly path: string | undefined;
  constructor(op: string, errno: string, options: KernelErrorOptions = {}) {
    const code = OVER_CAPACITY.has(errno) ? "OVER_CAPACITY" : "KERNEL_REFUSED";
    const at = options.path === undefined ? "" : ` ${options.path}`;
    const message = options.message ?? `cannot ${op}${at}: ${describeErrno(errno)}`;
    super(options.code ?? code, message, options);
    this.op = op;
    this.errno = errno;
    this.path = options.path;
  }
}

/** A tool that ended with a status other than 0, or did not end in time. */
export class CommandError extends HengeError {
  override readonly name = "CommandError";
  readonly argv: readonly string[];
  readonly exit: number | string;
  readonly stderr: string;
  constructor(
    argv: readonly string[],
    exit: number | string,
    stderr: string,
    options: ErrorOptions = {},
  ) {
    const said = stderr.trim().split("\n").slice(-3).join("; ");
    super(
      "KERNEL_REFUSED",
      `cannot run ${argv.join(" ")}: ${String(exit)}${said === "" ? "" : `: ${said}`}`,
      options,
    );
    this.argv = argv;
    this.exit = exit;
    this.stderr = stderr;
  }
}

const OVER_CAPACITY = new Set(["ENOSPC", "EDQUOT", "EAGAIN", "EMFILE", "ENFILE", "ENOMEM"]);

// errno(3) of Linux; Node 20 has no name for it and says «Unknown system error -122».
const EDQUOT = -122;

/** The errno name of a Node system error; `EUNKNOWN` for anything else. */
export function errnoOf(error: unknown): string {
  if (!(error instanceof Error)) return "EUNKNOWN";
  if ("errno" in error && error.errno === EDQUOT) return "EDQUOT";
  return "code" in error && typeof error.code === "string" ? error.code : "EUNKNOWN";
}
