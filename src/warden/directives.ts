// What the warden is told, as flat key/value pairs: it reads no JSON. An entry key (`volume`, `tmpfs` …) opens an
// entry; the keys after it describe that entry.

import { constants } from "node:os";

import { HengeError } from "../errors.js";
import type { ListenSpec, MountSource, StopStep, UnitSpec } from "../spec/index.js";
import type { AllocateRequest, ExecRequest } from "./port.js";

/** Where one cell's records live; made by the client before the warden starts. */
export interface CellPlaces {
  readonly run: string;
  readonly state: string;
  readonly logs: string;
}

export function allocateDirectives(
  request: AllocateRequest,
  places: CellPlaces,
  bootId: string,
): string[] {
  const { boundary } = request;
  return [
    ...["cell", request.cell, "boot", bootId, "boundary", JSON.stringify(boundary)],
    ...["run", places.run, "state", places.state, "logs", places.logs],
    ...["cgroup", request.cgroup, "warden-cgroup", request.wardenCgroup],
    ...["controllers", request.controllers.map((name) => `+${name}`).join(" ")],
    ...["uid-base", String(request.uidBase), "hostname", boundary.hostname],
    ...["network", boundary.network],
    ...(request.root === "host" ? ["root-host", ""] : ["root", ...source(request.root)]),
    ...request.hidden.flatMap((path) => ["hidden", path]),
    ...mountEntries(request).flatMap((entry) => entry.pairs),
  ];
}

function source(from: MountSource): string[] {
  return [from.path, "type", String(from.fsType), "identity", from.identity];
}

interface MountEntry {
  readonly path: string;
  readonly pairs: readonly string[];
}

/** Parents before children: `/var` is mounted before `/var/lib`. */
function mountEntries(request: AllocateRequest): readonly MountEntry[] {
  const { mounts, tmpfs, files } = request.boundary;
  const entries: MountEntry[] = [
    ...mounts.map((mount, index) => ({ path: mount.path, pairs: volumePairs(request, index) })),
    ...tmpfs.map(({ path, sizeBytes }) => ({
      path,
      pairs: ["tmpfs", path, "size", String(sizeBytes)],
    })),
    ...files.map((file) => ({ path: file.path, pairs: ["file", file.source, "path", file.path] })),
  ];
  return entries.sort((a, b) => depthOf(a.path) - depthOf(b.path));
}

function depthOf(path: string): number {
  return path.split("/").filter((label) => label !== "").length;
}

function volumePairs(request: AllocateRequest, index: number): string[] {
  const mount = request.boundary.mounts[index];
  const from = request.mountSources[index];
  if (mount === undefined || from === undefined) {
    throw new HengeError("INTERNAL", `cannot allocate ${request.cell}: a mount has no source`);
  }
  return [
    ...["volume", ...source(from), "path", mount.path],
    ...(mount.readOnly ? ["read-only", ""] : []),
    ...(mount.owner === undefined ? [] : ["owner", mount.owner]),
    ...(mount.mode === undefined ? [] : ["mode", mount.mode.toString(8)]),
  ];
}

/** What the warden keeps of a run unread, and tells whoever asks: the spec and a number beside its fields. */
export function unitDirectives(unit: UnitSpec, restarts: number): string[] {
  return [
    ...["unit", unit.name, "spec", JSON.stringify({ ...unit, restarts })],
    ...launch(unit),
    ...(unit.nofile === undefined ? [] : ["nofile", String(unit.nofile)]),
    ...(unit.readiness.kind === "notify" ? ["notify", ""] : []),
    ...unit.stop.flatMap(stopStep),
    ...unit.listen.flatMap(listenPair),
    ...(unit.staleSockets ?? []).flatMap((path) => ["stale-socket", path]),
    ...["log-max", String(unit.log.maxBytes), "log-keep", String(unit.log.keep)],
  ];
}

export function execDirectives(request: ExecRequest): string[] {
  const { tty } = request;
  return [
    ...launch(request),
    ...(tty === undefined ? [] : ["tty", `${String(tty.rows)} ${String(tty.columns)}`]),
  ];
}

type Launch = Pick<ExecRequest, "argv" | "env" | "envFiles" | "cwd" | "user">;

function launch({ argv, env, envFiles, cwd, user }: Launch): string[] {
  return [
    ...argv.flatMap((text) => ["arg", text]),
    ...Object.entries(env).flatMap(([name, value]) => ["env", `${name}=${value}`]),
    ...envFiles.flatMap((path) => ["env-file", path]),
    ...["cwd", cwd, "user", user],
  ];
}

function stopStep(step: StopStep): string[] {
  switch (step.kind) {
    case "signal":
      return ["stop-signal", String(signalNumber(step.signal))];
    case "wait":
      return ["stop-wait", String(step.ms)];
  }
}

function listenPair({ name, address, port }: ListenSpec): string[] {
  return ["listen", `${address} ${String(port)} ${name}`];
}

function signalNumber(name: string): number {
  const number = (constants.signals as Readonly<Record<string, number>>)[name];
  if (number === undefined)
    throw new HengeError("INVALID_REQUEST", `cannot use signal ${name}: no such signal`);
  return number;
}
