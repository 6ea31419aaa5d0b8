// The warden's answer about itself, and its events, from strings to values.

import { HengeError } from "../errors.js";
import { PRESSURE_RESOURCES } from "../spec/index.js";
import type { BoundarySpec, CellName, UnitName, UnitSpec } from "../spec/index.js";
import { exitStatusOf } from "./exits.js";
import type { WardenEvent, WardenRun, WardenState, WardenUnit } from "./port.js";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Pairs; `unit` opens a run of a unit, the keys after it describe it. A unit that has two is opened twice. */
export function parseState(strings: readonly string[]): WardenState {
  const head = new Map<string, string>();
  const units: Map<string, string>[] = [];
  for (let at = 0; at + 1 < strings.length; at += 2) {
    const [key = "", value = ""] = [strings[at], strings[at + 1]];
    if (key === "unit") units.push(new Map());
    (units.at(-1) ?? head).set(key, value);
  }
  const oom = head.get("oom");
  return {
    cell: field(head, "cell") as CellName,
    wardenPid: Number(field(head, "warden")),
    initPid: Number(field(head, "init")),
    uidBase: Number(field(head, "uid-base")),
    boundary: JSON.parse(field(head, "boundary")) as BoundarySpec,
    ...(oom === undefined ? {} : { oomKills: Number(oom) }),
    units: foldRuns(units),
  };
}

function foldRuns(runs: readonly ReadonlyMap<string, string>[]): readonly WardenUnit[] {
  const units = new Map<UnitName, WardenUnit>();
  for (const fields of runs) {
    const name = field(fields, "unit") as UnitName;
    const first = units.get(name);
    const run = parseRun(fields);
    units.set(name, first === undefined ? toUnit(name, run, fields) : { ...first, successor: run });
  }
  return [...units.values()];
}

function toUnit(name: UnitName, run: WardenRun, fields: ReadonlyMap<string, string>): WardenUnit {
  const unit = { name, ...run, starts: Number(field(fields, "starts")) };
  const exit = fields.get("exit");
  if (exit === undefined) return unit;
  const [status = 0, atMs = 0] = exit.split(" ").map(Number);
  return { ...unit, exit: exitStatusOf(status, atMs) };
}

function parseRun(fields: ReadonlyMap<string, string>): WardenRun {
  const { restarts = 0, ...spec } = JSON.parse(field(fields, "spec")) as UnitSpec &
    Partial<Pick<WardenRun, "restarts">>;
  const run: Mutable<WardenRun> = {
    spec,
    restarts,
    running: fields.has("running"),
    stopping: fields.has("stopping"),
    notified: fields.has("notified"),
  };
  const [pid, startedAt, text] = ["pid", "started-at", "status"].map((key) => fields.get(key));
  if (pid !== undefined) run.pid = Number(pid);
  if (startedAt !== undefined) run.startedAtMs = Number(startedAt);
  if (text !== undefined) run.statusText = text;
  return run;
}

/** Undefined for a kind of event this client does not know. */
export function parseEvent(strings: readonly string[]): WardenEvent | undefined {
  const [kind = "", name = "", ...rest] = strings;
  switch (kind) {
    case "ready":
      return { kind, unit: name as UnitName, ...pidOf(rest[0]) };
    case "status":
      return { kind, unit: name as UnitName, text: rest[0] ?? "", ...pidOf(rest[1]) };
    case "exit":
      return parseExit(name as UnitName, rest.map(Number));
    case "oom":
      return { kind, kills: Number(name) };
    case "pressure":
      return parsePressure(name, rest[0] ?? "");
    default:
      return undefined;
  }
}

function pidOf(text: string | undefined): { readonly pid?: number } {
  return text === undefined ? {} : { pid: Number(text) };
}

function parseExit(unit: UnitName, numbers: readonly number[]): WardenEvent {
  const [pid = 0, status = 0, atMs = 0, seq = 0] = numbers;
  return { kind: "exit", unit, pid, seq, exit: exitStatusOf(status, atMs) };
}

function parsePressure(name: string, avg10: string): WardenEvent | undefined {
  const resource = PRESSURE_RESOURCES.find((known) => known === name);
  return resource === undefined ? undefined : { kind: "pressure", resource, avg10: Number(avg10) };
}

function field(fields: ReadonlyMap<string, string>, key: string): string {
  const value = fields.get(key);
  if (value === undefined)
    throw new HengeError("INTERNAL", `cannot read the warden's answer: no ${key}`);
  return value;
}
