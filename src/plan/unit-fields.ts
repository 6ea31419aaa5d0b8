// What a changed field of a unit takes to be in force: a new run, or a word to its supervisor.

import type { UnitSpec } from "../spec/index.js";

/**
 * restart: the process or its warden has it from the start of the run. live: only the daemon uses it. nothing: what a unit
 * starts after is no part of how it runs.
 */
export type Takes = "restart" | "live" | "nothing";

const TAKES = {
  name: "restart",
  oneShot: "restart",
  argv: "restart",
  cwd: "restart",
  env: "restart",
  envFiles: "restart",
  user: "restart",
  readiness: "live",
  readinessIntervalMs: "live",
  startTimeoutMs: "live",
  liveness: "live",
  health: "live",
  after: "nothing",
  restart: "live",
  stop: "restart",
  cleanExits: "live",
  listen: "restart",
  handover: "live",
  nofile: "restart",
  log: "restart",
  staleSockets: "restart",
} satisfies Record<keyof UnitSpec, Takes>;

/** @param field of a spec, perhaps one that another version of Henge has started a run with */
export function whatTakes(field: string, seen: UnitSpec, wanted: UnitSpec): Takes {
  // The warden gives a run a socket to notify it by, or none.
  if (field === "readiness" && notifies(seen) !== notifies(wanted)) return "restart";
  // It decides whether what a one-shot has done is done.
  if (field === "cleanExits" && wanted.oneShot) return "restart";
  return (TAKES as Readonly<Partial<Record<string, Takes>>>)[field] ?? "restart";
}

function notifies({ readiness }: UnitSpec): boolean {
  return readiness.kind === "notify";
}
