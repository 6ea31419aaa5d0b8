// The daemon's nouns as proto messages. What comes the other way is in requests.ts.

import type { Progress } from "../reconcile/control.js";
import type {
  BoundarySpec,
  BudgetRow,
  CellStats,
  CellStatus,
  Event,
  ExitStatus,
  Operation,
  SnapshotStatus,
  Step,
  UnitStatus,
} from "../spec/index.js";
import type * as proto from "./gen/henge/v1/henge.js";

export function stepToProto(step: Step): proto.Step {
  return { kind: step.kind, reason: step.reason, ...subjectOf(step) };
}

function subjectOf(step: Step): Pick<proto.Step, "cell" | "unit" | "object"> {
  switch (step.kind) {
    case "create-volume":
    case "set-volume":
      return { object: step.volume.name };
    case "import-image":
      return { object: step.image.name };
    case "set-limit":
      return { cell: step.cell, object: step.file };
    case "start":
    case "await":
    case "stop":
    case "hand-over":
    case "adjust":
    case "pause":
      return { cell: step.cell, unit: step.unit };
    case "allocate":
    case "publish":
    case "free":
      return { cell: step.cell };
  }
}

export function budgetToProto(row: BudgetRow): proto.Budget {
  const { name, isBytes, asked, doubled, limit, from, verdict } = row;
  const parts = row.parts.map(({ who, amount, times }) => ({ who, amount, times }));
  return { name, bytes: isBytes, asked, doubled, limit, from, parts, over: verdict === "over" };
}

export function progressToProto(progress: Progress): proto.Progress {
  switch (progress.kind) {
    case "operation":
      return { operation: operationToProto(progress.operation) };
    case "plan":
      return { plan: { steps: progress.steps.map(stepToProto), budgets: [] } };
    case "begin":
      return { begin: { index: progress.index, step: stepToProto(progress.step) } };
    case "end":
      return {
        end: {
          index: progress.index,
          step: stepToProto(progress.step),
          tookMs: Math.round(progress.ms),
        },
      };
    case "note":
      return { note: progress.text };
  }
}

export function operationToProto(operation: Operation): proto.Operation {
  const { id, verb, target, caller, state, phase, startedAtMs, endedAtMs, error } = operation;
  return { id, verb, target, caller, state, phase, startedAtMs, endedAtMs, error };
}

/** Without the units' environment: it may hold secrets. */
export function cellToProto(cell: CellStatus): proto.CellStatus {
  return {
    name: cell.name,
    state: cell.state,
    reason: cell.reason,
    units: cell.units.map(unitToProto),
    boundary: boundaryToProto(cell.boundary),
    limits: { ...cell.limits },
    publish: cell.publish,
    wardenPid: cell.wardenPid,
    notReached: cell.notReached,
    stats: cell.stats === undefined ? undefined : statsToProto(cell.stats),
  };
}

function statsToProto({ pressureAvg10 = {}, ...counts }: CellStats): proto.CellStats {
  const { memoryBytes, memoryMaxBytes, cpuUsageUs, pids, oomKills } = counts;
  const { ioReadBytes, ioWrittenBytes } = counts;
  return {
    ...{ memoryBytes, memoryMaxBytes, cpuUsageUs, pids, oomKills, ioReadBytes, ioWrittenBytes },
    pressureAvg10: { ...pressureAvg10 },
  };
}

function unitToProto(unit: UnitStatus): proto.UnitStatus {
  const { name, state, ready, pid, startedAtMs, restarts, reason } = unit;
  const exit = unit.exit === undefined ? undefined : exitToProto(unit.exit);
  const lastLines = unit.lastLines === undefined ? undefined : { lines: [...unit.lastLines] };
  return { name, state, ready, pid, startedAtMs, restarts, exit, reason, lastLines };
}

function boundaryToProto(boundary: BoundarySpec): proto.Boundary {
  return {
    root: boundary.root.kind === "host" ? "host" : boundary.root.image,
    network: boundary.network,
    hostname: boundary.hostname,
    mounts: boundary.mounts.map(({ volume, path, readOnly }) => ({ volume, path, readOnly })),
  };
}

export function snapshotToProto(snapshot: SnapshotStatus): proto.SnapshotStatus {
  const { name, createdAtMs, volumes, consistent, reason, clones } = snapshot;
  return { name, createdAtMs, volumes: [...volumes], consistent, reason, clones: [...clones] };
}

export function exitToProto(exit: ExitStatus): proto.Exit {
  const { code, signal, atMs, outOfMemory = false } = exit;
  return { code, signal, atMs, outOfMemory };
}

export function eventToProto(event: Event): proto.Event {
  return { seq: event.seq, atMs: event.atMs, cell: event.cell, ...bodyOf(event) };
}

function bodyOf(event: Event): Partial<proto.Event> {
  switch (event.kind) {
    case "cell-state":
      return { cellState: { state: event.state, reason: event.reason } };
    case "unit-state":
      return {
        unitState: { unit: event.unit, state: event.state, pid: event.pid, reason: event.reason },
      };
    case "unit-exit":
      return { unitExit: { unit: event.unit, pid: event.pid, exit: exitToProto(event.exit) } };
    case "step":
      return { step: { kind: event.step, unit: event.unit, text: event.text } };
    case "oom":
      return { oom: { kills: event.kills } };
    case "pressure":
      return { pressure: { resource: event.resource, avg10: event.avg10 } };
    case "rules-restored":
      return { rulesRestored: { by: event.by } };
    case "snapshot":
      return { snapshot: { name: event.name, what: event.what } };
    case "daemon":
      return { daemon: event.text };
  }
}
