// The one way of every verb that changes a monolith: a call becomes an operation, is admitted, looks, writes down what it is
// about to do, does it, and its outcome is on record. A daemon that is killed takes it up again where it was written down.

import { HengeError } from "../../errors.js";
import type { MonolithName } from "../../spec/index.js";

import { PREPARING } from "../admission/operations.js";
import type { ActiveOperation } from "../admission/operation.js";
import type { Context } from "../context.js";
import type { Call, Request } from "../control.js";
import type { Change } from "./change.js";
import { withLastLines } from "./last-lines.js";
import type { Aim, Verb } from "./verb.js";

/** Of a monolith for what is about all of them; no label is empty. */
const ALL = "" as MonolithName;
const MS_PER_S = 1_000;

/** Any verb: what it asks for and what it keeps are its own affair. */
export type AnyVerb = Verb<Request, unknown>;

/**
 * Returns when the operation of the call has ended; or, early, when its caller waits no longer.
 * @throws {HengeError} its failure · OPERATION_EXISTS: the id is that of another request
 */
export async function perform(context: Context, verb: AnyVerb, call: Call): Promise<void> {
  const { id, request, caller, report, signal } = call;
  const aim = await verb.aim(context, request);
  const { operation, isNew } = context.operations.begin({
    ...{ id, verb: request.verb, target: aim.target, caller, body: request },
    ...(request.verb === "converge" ? { isOwn: true } : {}),
    ...(aim.monolith === undefined ? {} : { monolith: aim.monolith }),
  });
  if (isNew) {
    limitTime(context, operation, call.timeoutMs);
    void run(context, verb, operation, aim, () => takeUp(context, verb, operation, aim, request));
  }
  await operation.follow(report, signal);
}

/** Goes on with what a former daemon has not ended. Returns at once; its monolith is taken when this returns. */
export function resume(context: Context, verb: AnyVerb, operation: ActiveOperation): void {
  const { monolith, target, kept } = operation.record;
  const aim = { target, ...(monolith === undefined ? {} : { monolith }) };
  void run(context, verb, operation, aim, () => {
    if (kept === undefined) throw cutShort(operation);
    const change = changeOf(context, operation, monolith ?? ALL);
    return (verb.resume ?? verb.carryOut)(change, kept);
  });
}

async function takeUp(
  context: Context,
  verb: AnyVerb,
  operation: ActiveOperation,
  { monolith = ALL, isWithoutPool = false }: Aim,
  request: Request,
): Promise<void> {
  const change = changeOf(context, operation, monolith);
  await meet(change, verb, isWithoutPool);
  operation.enter(PREPARING);
  const kept = await verb.prepare(change, request);
  change.signal.throwIfAborted();
  const line = lineOf(operation, verb.title?.(request));
  const { audit, clock } = context.ports;
  await Promise.all([
    operation.commit("executing", kept),
    audit.append({ atMs: clock.now(), ...line }),
  ]);
  await verb.carryOut(change, kept);
}

/** One at a time for each monolith, and its end on record, whatever it is. */
async function run(
  context: Context,
  { admits }: AnyVerb,
  operation: ActiveOperation,
  { monolith }: Aim,
  act: () => Promise<void>,
): Promise<void> {
  const { verb } = operation.record;
  const entry = {
    verb,
    interrupts: ["converge", ...admits.interrupts],
    ...(admits.waits === undefined ? {} : { waits: admits.waits }),
    interrupt: (by: string): void => {
      operation.interrupt(
        new HengeError("CANCELLED", `${verb} ${operation.record.target} gave way to ${by}`),
      );
    },
  };
  let failure: unknown;
  try {
    await (monolith === undefined ? act() : context.mutex.run(monolith, entry, act));
  } catch (error) {
    failure = await withLastLines(context, monolith, reasonOf(operation, error));
    if (!(failure instanceof HengeError)) context.ports.warn(`a bug in ${verb}`, failure);
  }
  await operation.end(failure);
  const result = failure === undefined ? "ok" : textOf(failure);
  const { audit, clock, warn } = context.ports;
  await audit
    .append({ atMs: clock.now(), ...lineOf(operation), result })
    .catch((error: unknown) => {
      warn("the end of an operation is not in the audit trail", error);
    });
}

/** What must be so before a verb looks at anything. */
async function meet(
  { context, monolith, signal }: Change,
  { admits }: AnyVerb,
  isWithoutPool: boolean,
): Promise<void> {
  const { whileHalted, needsPool, finishesRollback } = admits;
  if (whileHalted !== true) await context.refuseHalted(whileHalted.act);
  if (needsPool && !isWithoutPool) await context.ports.pool.ensure(signal);
  if (finishesRollback) await context.finishRollback(monolith, signal);
}

function changeOf(context: Context, operation: ActiveOperation, monolith: MonolithName): Change {
  return {
    ...{ context, monolith, verb: operation.record.verb },
    ...{ report: operation.report, signal: operation.signal },
    commit: (phase, kept) => operation.commit(phase, kept),
  };
}

/** What was cancelled ends for that reason, however the step under way said it. */
function reasonOf({ signal }: ActiveOperation, error: unknown): unknown {
  const reason: unknown = signal.reason;
  if (!signal.aborted || !(reason instanceof HengeError)) return error;
  return error instanceof HengeError && error.code === reason.code ? error : reason;
}

function limitTime(
  { ports }: Context,
  operation: ActiveOperation,
  timeoutMs: number | undefined,
): void {
  if (timeoutMs === undefined) return;
  const { verb, target } = operation.record;
  const cancel = ports.clock.after(timeoutMs, () => {
    const text = `${verb} ${target} took longer than the ${String(timeoutMs / MS_PER_S)} s it was given`;
    operation.interrupt(new HengeError("DEADLINE", text, { hint: "henge ps shows what is up" }));
  });
  void operation.ended().then(cancel);
}

function cutShort({ record }: ActiveOperation): HengeError {
  return new HengeError(
    "WRONG_STATE",
    `cannot go on with ${record.verb} ${record.target}: the daemon ended before anything was changed`,
    { hint: "ask for it again" },
  );
}

function lineOf({ record }: ActiveOperation, title: string = record.verb) {
  return { requestId: record.id, verb: title, target: record.target };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
