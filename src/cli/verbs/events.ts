import type { Command } from "commander";

import type { Event, EventsRequest } from "../../api/gen/henge/v1/henge.js";
import { parseCell, parseCount, usage } from "../arguments.js";
import { attached } from "../attached.js";
import { describeExit, exitToJson } from "../cells.js";
import type { Client } from "../client.js";
import type { Context } from "../context.js";
import { writeOut } from "../io.js";
import { iso, json, printable } from "../text.js";
import { TIME_FORMS, parseTime, requireOrder } from "../times.js";
import { addVerb } from "../verb.js";
import type { Act } from "../verb.js";

interface EventsOptions {
  readonly follow?: boolean;
  readonly sinceSeq?: string;
  readonly since?: string;
  readonly until?: string;
}

export function addEvents(program: Command, act: Act): void {
  addVerb(
    program,
    "events [cell]",
    "print what happened, to all cells or to one",
    "henge events -f redmine",
  )
    .option("-f, --follow", "go on with what happens from now on")
    .option("--since <when>", `from then on: ${TIME_FORMS}`)
    .option("--until <when>", "only what was before; not with -f")
    .option("--since-seq <number>", "only events later than this one")
    .action(
      act((context, options: EventsOptions, cell: string | undefined) => {
        const request = requestOf(options, cell);
        return readAll(context, request);
      }),
    );
}

/** Each event once, also when the daemon goes away meanwhile: the next one goes on with the numbers of this one. */
async function readAll(context: Context, request: EventsRequest): Promise<void> {
  let { sinceSeq } = request;
  const ask = async (daemon: Client): Promise<void> => {
    for await (const event of daemon.stream("Events", { ...request, sinceSeq })) {
      const text = context.form === "json" ? json(eventToJson(event)) : eventText(event);
      await writeOut(context.io.stdout, text);
      sinceSeq = event.seq;
    }
  };
  await attached(context, ask, () => true);
}

function requestOf(
  { follow = false, sinceSeq, since, until }: EventsOptions,
  cell: string | undefined,
): EventsRequest {
  const nowMs = Date.now();
  const sinceMs = since === undefined ? undefined : parseTime("--since", since, nowMs);
  const untilMs = until === undefined ? undefined : parseTime("--until", until, nowMs);
  requireOrder(sinceMs, untilMs);
  if (follow && untilMs !== undefined)
    throw usage("cannot use --until with --follow: what comes from now on is after it");
  return {
    ...{ follow, sinceMs, untilMs },
    sinceSeq: sinceSeq === undefined ? 0 : parseCount("--since-seq", sinceSeq),
    cell: cell === undefined ? undefined : parseCell(cell),
  };
}

function eventToJson(event: Event) {
  return { seq: event.seq, at: iso(event.atMs), cell: event.cell ?? null, ...bodyToJson(event) };
}

function bodyToJson(event: Event) {
  return unitToJson(event) ?? cellToJson(event) ?? daemonToJson(event);
}

function daemonToJson({ rulesRestored, snapshot, daemon }: Event) {
  if (snapshot !== undefined) return { kind: "snapshot", ...snapshot };
  if (rulesRestored !== undefined) return { kind: "rules-restored", by: rulesRestored.by ?? null };
  return { kind: "daemon", text: daemon ?? "" };
}

function cellToJson({ cellState, step, oom, pressure }: Event) {
  if (cellState !== undefined)
    return { kind: "cell-state", state: cellState.state, reason: cellState.reason ?? null };
  if (step !== undefined)
    return { kind: "step", step: step.kind, unit: step.unit ?? null, text: step.text };
  if (oom !== undefined) return { kind: "oom", kills: oom.kills };
  if (pressure !== undefined)
    return { kind: "pressure", resource: pressure.resource, avg10: pressure.avg10 };
  return undefined;
}

function unitToJson({ unitState, unitExit }: Event) {
  if (unitState !== undefined) {
    const { unit, state, pid, reason } = unitState;
    return { kind: "unit-state", unit, state, pid: pid ?? null, reason: reason ?? null };
  }
  if (unitExit !== undefined) {
    const { unit, pid, exit } = unitExit;
    return { kind: "unit-exit", unit, pid, exit: exit === undefined ? null : exitToJson(exit) };
  }
  return undefined;
}

function eventText(event: Event): string {
  return `${printable(`${iso(event.atMs)} ${String(event.seq)} ${event.cell ?? "henged"} ${bodyText(event)}`)}\n`;
}

function bodyText(event: Event): string {
  const { cellState, unitState, unitExit, step, oom, pressure } = event;
  if (cellState !== undefined) return `is ${cellState.state}${because(cellState.reason)}`;
  if (unitState !== undefined) {
    const pid = unitState.pid === undefined ? "" : ` (pid ${String(unitState.pid)})`;
    return `${unitState.unit} is ${unitState.state}${pid}${because(unitState.reason)}`;
  }
  if (unitExit !== undefined) {
    const how = unitExit.exit === undefined ? "" : `: ${describeExit(unitExit.exit)}`;
    return `${unitExit.unit} (pid ${String(unitExit.pid)}) ended${how}`;
  }
  if (step !== undefined)
    return `${step.kind}${step.unit === undefined ? "" : ` ${step.unit}`}${because(step.text)}`;
  if (oom !== undefined)
    return `ran out of memory: ${String(oom.kills)} processes killed since it was allocated`;
  if (pressure !== undefined)
    return `waits for ${pressure.resource}: ${pressure.avg10.toFixed(2)}% of the last 10 s`;
  return daemonText(event);
}

function daemonText({ rulesRestored, snapshot, daemon }: Event): string {
  if (snapshot !== undefined)
    return snapshot.what === "rolled-back"
      ? `rolled back to snapshot ${snapshot.name}`
      : `snapshot ${snapshot.name} ${snapshot.what}`;
  if (rulesRestored === undefined) return daemon ?? "";
  const by = rulesRestored.by === undefined ? "" : ` by ${rulesRestored.by}`;
  return `put the network's rules back after they were changed${by}`;
}

function because(reason: string | undefined): string {
  return reason === undefined || reason === "" ? "" : `: ${reason}`;
}
