// An error as the user sees it, on standard error, and the exit that says it to a script.

import { HengeError, describeErrno, errnoOf } from "../errors.js";
import type { ErrorCode, ManifestError, Problem } from "../errors.js";
import { SURFACE } from "../surface.js";
import { json, printable } from "./text.js";

/** What henged answered instead of a reply. */
export class DaemonError extends HengeError {
  override readonly name = "DaemonError";
  readonly problems: readonly Problem[];
  readonly op: string | undefined;
  readonly errno: string | undefined;
  constructor(
    code: ErrorCode,
    message: string,
    detail: {
      problems?: readonly Problem[];
      hint?: string | undefined;
      op?: string;
      errno?: string;
    },
  ) {
    super(code, message, detail.hint === undefined ? {} : { hint: detail.hint });
    this.problems = detail.problems ?? [];
    this.op = detail.op;
    this.errno = detail.errno;
  }
}

/** Problems of the manifest in `file`, whoever found them. */
export class ManifestFailure extends HengeError {
  override readonly name = "ManifestFailure";
  readonly file: string;
  readonly problems: readonly Problem[];
  constructor(file: string, error: ManifestError | DaemonError) {
    super(error.code, error.message, {
      cause: error,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
    this.file = file;
    this.problems = error.problems;
  }
}

export interface Failure {
  readonly exit: number;
  readonly text: string;
}

/** @param usage how the verb is written; told where the command line is wrong */
export function describeFailure(error: unknown, form: "text" | "json", usage?: string): Failure {
  const code = error instanceof HengeError ? error.code : "INTERNAL";
  const message = error instanceof HengeError ? error.message : bugText(error);
  const hint = (error instanceof HengeError ? error.hint : undefined) ?? null;
  const { exit } = SURFACE[code];
  if (form === "json")
    return { exit, text: json({ code, message, problems: problemsOf(error), hint }) };
  const lines = [
    ...problemLines(error),
    ...`henge: ${message}`.split("\n"),
    ...(code === "USAGE" && usage !== undefined ? [`usage: ${usage}`] : []),
    ...(hint === null ? [] : [`hint: ${hint}`]),
  ];
  return { exit, text: lines.map((line) => `${printable(line)}\n`).join("") };
}

/** EX_IOERR of sysexits.h: what was done is done, only nobody can read of it. */
const CANNOT_WRITE = 74;

/** Of standard output: a full disk, a device that is gone. */
export function outputFailure(error: unknown): Failure {
  const why = describeErrno(errnoOf(error));
  const text = `henge: cannot write to standard output: ${why}; what the verb does is not undone\n`;
  return { exit: CANNOT_WRITE, text };
}

function problemsOf(error: unknown): readonly Problem[] {
  return error instanceof ManifestFailure ? error.problems : [];
}

function problemLines(error: unknown): readonly string[] {
  if (!(error instanceof ManifestFailure)) return [];
  return error.problems.map(({ path, line, column, text }) => {
    const place = `${error.file}:${String(line)}:${String(column)}`;
    return path === "" ? `${place}: ${text}` : `${place} ${path}: ${text}`;
  });
}

function bugText(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
