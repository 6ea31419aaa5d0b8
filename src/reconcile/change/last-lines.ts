// What the units that have failed said last, beside the error that names them: nobody should have to ask twice at night.

import { HengeError } from "../../errors.js";
import { unitKey } from "../../plan/index.js";
import type { MonolithName, UnitRef, UnitState } from "../../spec/index.js";
import { monolithOf } from "../../spec/index.js";

import type { Context } from "../context.js";

const LINES = 10;
const DEADLINE_MS = 2_000;
const ILL: ReadonlySet<UnitState> = new Set(["failed", "crashloop", "backoff"] as const);

/** @returns the error, with the last lines of each unit of the monolith that has failed */
export async function withLastLines(
  context: Context,
  monolith: MonolithName | undefined,
  error: unknown,
): Promise<unknown> {
  if (!(error instanceof HengeError) || !/cannot (?:bring up|hand over) /.test(error.message))
    return error;
  const failed = context.cells
    .names()
    .filter((cell) => monolithOf(cell) === monolith)
    .flatMap((cell) =>
      [...(context.cells.get(cell)?.units ?? [])].flatMap(([unit, supervisor]) => {
        const { state, reason } = supervisor.status();
        return ILL.has(state) ? [{ cell, unit, why: reason ?? state }] : [];
      }),
    );
  if (failed.length === 0) return error;
  const said = await Promise.all(
    failed.map(async ({ why, ...ref }) => [
      `${unitKey(ref)}: ${why}; its last lines:`,
      ...(await lastLines(context, ref)).map((line) => `  | ${line}`),
    ]),
  );
  return new HengeError(error.code, [error.message, ...said.flat()].join("\n"), {
    cause: error,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  });
}

async function lastLines({ ports }: Context, { cell, unit }: UnitRef): Promise<readonly string[]> {
  const source = { cell, unit, directory: ports.wardens.logDirectoryOf(cell) };
  const lines: string[] = [];
  try {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    for await (const line of ports.readLogs([source], { follow: false, tail: LINES }, signal))
      if ("text" in line) lines.push(line.text);
  } catch {
    // The error they would stand beside is the one that matters.
  }
  return lines.length === 0 ? ["(it said nothing)"] : lines;
}
