// Commands beside the units: `exec`, and `run`, which is counted in the budgets and told in full in the audit trail.

import { HengeError } from "../../errors.js";
import type { CellName, CellStatus, UnitSpec } from "../../spec/index.js";
import { monolithOf } from "../../spec/index.js";
import type { ExecSession } from "../../warden/port.js";

import type { Context } from "../context.js";
import type { ExecOptions, Target } from "../control.js";
import { nameWords } from "./command-words.js";
import { snapshotBeforeRun } from "../change/snapshots.js";

/** @param status of the target's cell */
export async function exec(
  context: Context,
  options: ExecOptions,
  status: CellStatus,
  signal: AbortSignal,
): Promise<ExecSession> {
  const { target, argv, env, tty, oneOff } = options;
  const { warden } = context.cells.existing(target.cell);
  const like = unitLike(status, target);
  const start = (): Promise<ExecSession> =>
    warden.exec(
      {
        argv,
        env: { ...like?.env, ...env },
        envFiles: like?.envFiles ?? [],
        cwd: options.cwd ?? like?.cwd ?? "/",
        user: options.user ?? like?.user ?? "0",
        ...(tty === undefined ? {} : { tty }),
      },
      signal,
    );
  if (oneOff !== undefined)
    return await runOneOff(context, options, like, oneOff, async () => {
      await snapshotBeforeRun(context, monolithOf(target.cell), signal);
      return start();
    });
  await context.ports.audit.append({
    atMs: context.ports.clock.now(),
    requestId: crypto.randomUUID(),
    verb: `exec ${argv[0] ?? ""}`,
    target: target.cell,
  });
  return start();
}

/** In its budgets from before it starts until it has ended, and so in the audit trail. */
async function runOneOff(
  context: Context,
  { target, argv }: ExecOptions,
  like: UnitSpec | undefined,
  { requestId, caller }: NonNullable<ExecOptions["oneOff"]>,
  start: () => Promise<ExecSession>,
): Promise<ExecSession> {
  const { audit, clock } = context.ports;
  const leave = await context.oneOffs.enter(target.cell, like?.name);
  const startedMs = clock.now();
  const unit = like === undefined ? "" : `:${like.name}`;
  const words = nameWords(argv);
  const line = { requestId, verb: `run ${words}`, target: `${target.cell}${unit}` };
  const { operation } = context.operations.begin({
    // One that is sent again runs again, and is an operation of its own.
    id: context.operations.has(requestId) ? crypto.randomUUID() : requestId,
    ...{ verb: "run", target: line.target, caller },
    ...{ monolith: monolithOf(target.cell), body: { words, startedMs } },
  });
  const ended = async (how: string, failure?: unknown): Promise<void> => {
    leave();
    await operation.end(failure);
    const result = `${how} after ${String(clock.now() - startedMs)} ms`;
    await audit.append({ atMs: clock.now(), ...line, result });
  };
  const warn = (error: unknown): void => {
    context.ports.warn("the end of a one-off is not in the audit trail", error);
  };
  try {
    await Promise.all([
      audit.append({ atMs: startedMs, ...line }),
      operation.commit("running", {}),
    ]);
    const session = await start();
    session.exit
      .then(
        ({ code, signal }) => ended(signal ?? `exit ${String(code ?? 0)}`),
        () => ended("ended with its client"),
      )
      .catch(warn);
    return session;
  } catch (error) {
    await ended(error instanceof Error ? error.message : String(error), error).catch(warn);
    throw error;
  }
}

/** The unit whose environment, user and directory a command gets: the named one, else the cell's first that stays. */
function unitLike(status: CellStatus, target: Target): UnitSpec | undefined {
  if (target.unit === undefined) {
    return (status.units.find(({ spec }) => !spec.oneShot) ?? status.units[0])?.spec;
  }
  const unit = status.units.find(({ name }) => name === target.unit);
  if (unit === undefined) throw unitNotFound(target.cell, target.unit);
  return unit.spec;
}

export function unitNotFound(cell: CellName, unit: string): HengeError {
  return new HengeError("UNIT_NOT_FOUND", `cannot find unit ${unit} in cell ${cell}`, {
    hint: `henge get ${cell} shows its units`,
  });
}
