// What a declared unit of an allocated cell needs so that it runs as its manifest says.

import type { ExitStatus, UnitSpec, UnitStatus } from "../spec/index.js";

import { liveDifferences, restartDifferences } from "./difference.js";
import { formatList } from "./text.js";
import type { UnitChange } from "./unit-change.js";
import { isLive, isUp } from "./unit-node.js";
import type { UnitNode } from "./unit-node.js";

const LEFT: ReadonlySet<UnitStatus["state"]> = new Set(["failed", "crashloop", "backoff"]);

/**
 * undefined when it is as it should be, or its supervisor sees to it.
 * @param leaveFailed whether a unit that has ended by itself is left to its restart policy
 */
export function wishFor(
  node: UnitNode,
  stoppedByOperator: boolean,
  leaveFailed = false,
): UnitChange | undefined {
  const { spec, seen } = node;
  if (spec === undefined || stoppedByOperator) {
    const reason = spec === undefined ? "removed from the manifest" : "stopped by operator";
    return isLive(node) ? { kind: "change", stop: reason } : undefined;
  }
  if (seen === undefined) return wishByState(undefined);
  const differences = restartDifferences(seen.spec, spec);
  const adjustments = liveDifferences(seen.spec, spec);
  const all = [...differences, ...adjustments];
  if (leaveFailed && wasTried(seen, spec, all)) return undefined;
  if (differences.length === 0) return wishAdjusted(seen, adjustments, leaveFailed);
  const reason = formatList(all);
  return isLive(node) ? restartOf(node, reason) : { kind: "change", start: reason };
}

/** Whether it has failed as it is declared now, itself or the run it was to hand over to. */
function wasTried(
  { state, rejected }: UnitStatus,
  spec: UnitSpec,
  all: readonly string[],
): boolean {
  if (all.length === 0) return LEFT.has(state);
  if (rejected === undefined) return false;
  return restartDifferences(rejected, spec).length + liveDifferences(rejected, spec).length === 0;
}

/** What can be changed of it while it lives; what is started takes its spec with it. */
function wishAdjusted(
  seen: UnitStatus,
  adjustments: readonly string[],
  leaveFailed: boolean,
): UnitChange | undefined {
  const wish = wishByState(seen);
  const isLeft = leaveFailed && (seen.state === "backoff" || seen.state === "crashloop");
  const isStarted = wish?.kind === "change" && !isLeft;
  if (adjustments.length === 0 || isStarted || seen.state === "done") return wish;
  const reason = formatList(adjustments);
  return { kind: "adjust", reason, ...(wish?.kind === "await" ? { await: wish.reason } : {}) };
}

/** A unit that hands over does so only when it is ready, and with the sockets it has. */
export function restartOf(node: UnitNode, reason: string): UnitChange {
  const { spec, seen } = node;
  const sameSockets = JSON.stringify(seen?.spec.listen) === JSON.stringify(spec?.listen);
  const handsOver = spec?.handover === true && isUp(node) && sameSockets;
  const otherwise = spec?.restart.staggerMs === undefined ? "together" : "alone";
  return { kind: "restart", reason, way: handsOver ? "hand-over" : otherwise };
}

/** What it needs to be up, whatever its spec; undefined when it is, or its supervisor sees to it. */
export function wishByState(seen: UnitStatus | undefined): UnitChange | undefined {
  switch (seen?.state) {
    case undefined:
      return { kind: "change", start: "not started yet" };
    case "stopped":
      return { kind: "change", start: "not running" };
    case "stopping":
      return { kind: "change", start: "is being stopped" };
    case "failed":
      return { kind: "change", start: `failed${inBrackets(seen.exit)}` };
    case "crashloop":
      return { kind: "change", start: `in a crash loop${inBrackets(seen.exit)}` };
    case "starting":
      return { kind: "await", reason: "not ready yet" };
    // Who asks for it to run does not wait for a back-off.
    case "backoff":
      return { kind: "change", start: `in back-off${inBrackets(seen.exit)}` };
    case "running":
    case "degraded":
    case "done":
      return undefined;
  }
}

function inBrackets(exit: ExitStatus | undefined): string {
  if (exit?.signal !== undefined) return ` (${exit.signal})`;
  return exit?.code === undefined ? "" : ` (exit ${String(exit.code)})`;
}
