// What the units that have failed said last, beside the error or the state that names them: nobody should have to ask twice at
// night.

import { HengeError } from "../../errors.js";
import { unitKey } from "../../plan/index.js";
import type { CellStatus, MonolithName, UnitRef, UnitState } from "../../spec/index.js";
import { monolithOf } from "../../spec/index.js";

import { withDeadline } from "../clock.js";
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
      ...shown(await lastLines(context, ref)).map((line) => `  | ${line}`),
    ]),
  );
  return new HengeError(error.code, [error.message, ...said.flat()].join("\n"), {
    cause: error,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  });
}

/** @returns the cell, with the last lines of each of its units that has failed; without where they cannot be read */
export async function cellWithLastLines(context: Context, cell: CellStatus): Promise<CellStatus> {
  const units = cell.units.map(async (unit) => {
    if (!ILL.has(unit.state)) return unit;
    const lines = await lastLines(context, { cell: cell.name, unit: unit.name });
    return lines === undefined ? unit : { ...unit, lastLines: lines };
  });
  return { ...cell, units: await Promise.all(units) };
}

function shown(lines: readonly string[] | undefined): readonly string[] {
  if (lines === undefined) return ["(its log cannot be read)"];
  return lines.length === 0 ? ["(it said nothing)"] : lines;
}

/** Undefined where they cannot be read, or not in time: what they would stand beside is what matters. */
async function lastLines(
  { ports }: Context,
  { cell, unit }: UnitRef,
): Promise<readonly string[] | undefined> {
  const source = { cell, unit, directory: ports.wardens.logDirectoryOf(cell) };
  const lines: string[] = [];
  try {
    return await withDeadline(ports.clock, DEADLINE_MS, async (signal) => {
      const range = { follow: false, tail: LINES };
      for await (const line of ports.readLogs([source], range, signal))
        if ("text" in line) lines.push(line.text);
      return signal.aborted ? undefined : lines;
    });
  } catch {
    return undefined;
  }
}
