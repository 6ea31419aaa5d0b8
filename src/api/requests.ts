// What a client asks, checked: names by their pattern, numbers by their range. Nothing behind this checks it again.

import { randomUUID } from "node:crypto";
import { isIPv4 } from "node:net";
import { isAbsolute } from "node:path";

import { HengeError } from "../errors.js";
import type {
  ExecOptions,
  LogCursor,
  LogQuery,
  ManifestSource,
  RequestOf,
  Target,
} from "../reconcile/control.js";
import { isCellName, isLabel, isSnapshotName } from "../spec/index.js";
import type { CellName, MonolithName, PublishSpec, SnapshotName, UnitName } from "../spec/index.js";
import type { Asker } from "./asker.js";
import type * as proto from "./gen/henge/v1/henge.js";

const REQUEST_ID_PATTERN = /^[A-Za-z0-9._-]{1,128}$/;
const VARIABLE_PATTERN = /^[A-Za-z_][A-Za-z0-9_]*$/;
const TERMINAL_MAX = 65_535; // struct winsize of ioctl_tty(2)

export function cellFromProto(name: string): CellName {
  if (isCellName(name)) return name;
  throw invalid(`cannot use ${JSON.stringify(name)} as the name of a cell`);
}

export function snapshotFromProto(name: string): SnapshotName {
  if (isSnapshotName(name)) return name;
  throw invalid(`cannot use ${JSON.stringify(name)} as the name of a snapshot`);
}

export function cloneFromProto(request: proto.CloneRequest): RequestOf<"clone"> {
  const { cell, snapshot, name, publish } = request;
  if (!isLabel(name)) throw invalid(`cannot use ${JSON.stringify(name)} as the name of a monolith`);
  return {
    verb: "clone",
    cell: cellFromProto(cell),
    snapshot: snapshotFromProto(snapshot),
    name: name as MonolithName,
    publish: publish.map(portFromProto),
  };
}

function portFromProto({ hostAddress, hostPort, cellPort }: proto.Publish): PublishSpec {
  const fit = [hostPort, cellPort].every((port) => port >= 1 && port <= 65_535);
  if (fit && isIPv4(hostAddress)) return { hostAddress, hostPort, cellPort };
  throw invalid(`cannot publish ${hostAddress}:${String(hostPort)}:${String(cellPort)}`);
}

export function targetFromProto(target: proto.Target | undefined): Target {
  if (target === undefined) throw invalid("cannot answer without a target");
  const cell = cellFromProto(target.cell);
  if (target.unit === undefined) return { cell };
  if (!isLabel(target.unit))
    throw invalid(`cannot use ${JSON.stringify(target.unit)} as the name of a unit`);
  return { cell, unit: target.unit as UnitName };
}

export function sourceFromProto(manifest: proto.Manifest | undefined): ManifestSource {
  if (manifest === undefined) throw invalid("cannot answer without a manifest");
  const { file, directory, text } = manifest;
  if (!isAbsolute(directory))
    throw invalid(`cannot use ${JSON.stringify(directory)}: it is not an absolute directory`);
  return { file, directory, text };
}

export function requestIdFromProto(id: string): string {
  if (id === "") return randomUUID();
  if (REQUEST_ID_PATTERN.test(id)) return id;
  throw invalid("cannot use the request id: not 1 to 128 of A-Z a-z 0-9 . _ -");
}

export function logQueryFromProto(request: proto.LogsRequest): LogQuery {
  return {
    target: targetFromProto(request.target),
    follow: request.follow,
    ...(request.sinceMs === undefined ? {} : { sinceMs: countFromProto("since", request.sinceMs) }),
    ...(request.tail === undefined ? {} : { tail: request.tail }),
    ...(request.after.length === 0 ? {} : { after: request.after.map(cursorFromProto) }),
  };
}

/** What the cursor itself may be is the log's affair. */
function cursorFromProto({ cell, unit, cursor }: proto.LogCursor): LogCursor {
  const target = targetFromProto({ cell, unit });
  return { cell: target.cell, unit: unit as UnitName, cursor };
}

/** A whole number from 0 that JavaScript holds exactly; int64 can be more. */
export function countFromProto(field: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw invalid(`cannot use ${String(value)} for ${field}`);
}

export function execOptionsFromProto(
  start: proto.ExecRequest_Start,
  { caller }: Asker,
): ExecOptions {
  const env = Object.entries(start.env);
  for (const [name] of env) {
    if (!VARIABLE_PATTERN.test(name))
      throw invalid(`cannot use ${JSON.stringify(name)} as the name of a variable`);
  }
  if (start.argv.length === 0 || start.argv[0] === "") throw invalid("cannot run an empty command");
  const texts = [
    ...start.argv,
    ...env.map(([, value]) => value),
    start.user ?? "",
    start.cwd ?? "",
  ];
  if (texts.some((text) => text.includes("\0")))
    throw invalid("cannot run a command with a NUL byte in it");
  return {
    target: targetFromProto(start.target),
    argv: start.argv,
    env: Object.fromEntries(env),
    ...(start.user === undefined ? {} : { user: start.user }),
    ...(start.cwd === undefined ? {} : { cwd: start.cwd }),
    ...(start.oneOff === undefined
      ? {}
      : { oneOff: { requestId: requestIdFromProto(start.oneOff.requestId), caller } }),
    ...(start.terminal === undefined ? {} : { tty: terminalFromProto(start.terminal) }),
  };
}

export function terminalFromProto(terminal: proto.ExecRequest_Terminal): {
  rows: number;
  columns: number;
} {
  const { rows, columns } = terminal;
  if (rows > TERMINAL_MAX || columns > TERMINAL_MAX)
    throw invalid("cannot make a terminal of that size");
  return { rows, columns };
}

export function invalid(message: string): HengeError {
  return new HengeError("INVALID_REQUEST", message);
}
