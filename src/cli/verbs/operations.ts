import type { Command } from "commander";

import type { Operation } from "../../api/gen/henge/v1/henge.js";
import { usage } from "../arguments.js";
import type { Context } from "../context.js";
import { followOperation, operationToJson } from "../operation.js";
import { age, iso, table } from "../text.js";
import { addVerb } from "../verb.js";
import type { Act } from "../verb.js";

interface OperationsOptions {
  readonly follow?: boolean;
  readonly cancel?: string;
}

export function addOperations(program: Command, act: Act): void {
  addVerb(
    program,
    "operations [id]",
    "list what was asked of the daemon and how it ended, or one operation",
    "henge operations -f",
  )
    .option("-f, --follow", "go on with what is under way until it has ended, and end as it does")
    .option("--cancel <id>", "end an operation between two steps")
    .action(
      act((context, options: OperationsOptions, id: string | undefined) => {
        if (options.cancel !== undefined) return cancel(context, options.cancel, id, options);
        return options.follow === true ? followAll(context, id) : show(context, id);
      }),
    );
}

async function show(context: Context, id: string | undefined): Promise<void> {
  const operations = await ask(context, id);
  context.print(operations.map(operationToJson), () => operationsTable(operations, Date.now()));
}

/** One after another, oldest first; those that have ended are only shown. */
async function followAll(context: Context, id: string | undefined): Promise<void> {
  const ids = (await ask(context, id))
    .filter(({ state }) => id !== undefined || state === "running")
    .map((operation) => operation.id);
  for (const one of ids) await followOperation(context, one);
  const ended = (await ask(context, id)).filter((one) => ids.includes(one.id));
  context.print(ended.map(operationToJson), () =>
    ended.length === 0 ? "nothing is under way\n" : operationsTable(ended, Date.now()),
  );
}

async function cancel(
  context: Context,
  id: string,
  other: string | undefined,
  { follow }: OperationsOptions,
): Promise<void> {
  if (other !== undefined || follow === true)
    throw usage("cannot use --cancel ID with another id or with -f");
  await context.withDaemon((daemon) => daemon.call("Cancel", { id }));
  context.print({ cancelled: id }, () => `operation ${id} ends before its next step\n`);
}

async function ask(context: Context, id: string | undefined): Promise<readonly Operation[]> {
  const reply = await context.withDaemon((daemon) => daemon.call("Operations", { id }));
  return reply.operations;
}

function operationsTable(operations: readonly Operation[], nowMs: number): string {
  const rows = operations.map(
    ({ id, verb, target, caller, state, phase, startedAtMs, endedAtMs, error }) => [
      ...[id, verb, target, caller, state === "running" ? phase : state],
      startedAtMs === 0 ? "-" : iso(startedAtMs),
      startedAtMs === 0 ? "-" : age((endedAtMs ?? nowMs) - startedAtMs),
      error?.message.split("\n")[0] ?? "-",
    ],
  );
  return table(["ID", "VERB", "TARGET", "BY", "STATE", "SINCE", "TOOK", "ERROR"], rows);
}
