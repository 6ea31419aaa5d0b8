// Cells and units as JSON and as tables. The keys of the JSON are an interface: see docs/cli.md.

import type { CellStats, CellStatus, Exit, Step, UnitStatus } from "../api/gen/henge/v1/henge.js";
import { describeStep } from "./progress.js";
import { formatSize } from "../spec/index.js";
import { age, iso, printable, table } from "./text.js";

export function cellToJson(cell: CellStatus) {
  return {
    ...{ cell: cell.name, state: cell.state, units: cell.units.map(unitToJson) },
    ...(cell.stats === undefined ? {} : { stats: statsToJson(cell.stats) }),
  };
}

function statsToJson(stats: CellStats) {
  return {
    memoryBytes: stats.memoryBytes ?? null,
    memoryMaxBytes: stats.memoryMaxBytes ?? null,
    cpuUsageUs: stats.cpuUsageUs ?? null,
    pids: stats.pids ?? null,
    oomKills: stats.oomKills ?? null,
    ioReadBytes: stats.ioReadBytes ?? null,
    ioWrittenBytes: stats.ioWrittenBytes ?? null,
    pressureAvg10: stats.pressureAvg10,
  };
}

function unitToJson(unit: UnitStatus) {
  return {
    name: unit.name,
    state: unit.state,
    ready: unit.ready,
    pid: unit.pid ?? null,
    startedAt: unit.startedAtMs === undefined ? null : iso(unit.startedAtMs),
    restarts: unit.restarts,
    exit: unit.exit === undefined ? null : exitToJson(unit.exit),
  };
}

/** All that Get tells: what ps does, and why, and where. */
export function cellToFullJson(cell: CellStatus) {
  return {
    ...cellToJson(cell),
    units: cell.units.map((unit) => ({
      ...unitToJson(unit),
      reason: unit.reason ?? null,
      lastLines: unit.lastLines?.lines ?? null,
    })),
    reason: cell.reason ?? null,
    notReached: cell.notReached ?? null,
    boundary: cell.boundary ?? null,
    limits: cell.limits,
    publish: cell.publish,
    wardenPid: cell.wardenPid ?? null,
  };
}

export function exitToJson(exit: Exit) {
  const how = exit.signal === undefined ? { code: exit.code ?? null } : { signal: exit.signal };
  return { ...how, ...(exit.outOfMemory ? { outOfMemory: true } : {}), at: iso(exit.atMs) };
}

export function describeExit(exit: Exit): string {
  const how = exit.signal ?? `code ${String(exit.code ?? "?")}`;
  return exit.outOfMemory ? `${how}, out of memory` : how;
}

export function stepToJson(step: Step) {
  return { kind: step.kind, cell: step.cell ?? null, unit: step.unit ?? null, reason: step.reason };
}

export function stepsText(steps: readonly Step[]): string {
  if (steps.length === 0) return "nothing to change\n";
  return steps.map((step) => `${describeStep(step)}: ${printable(step.reason)}\n`).join("");
}

/** The table of `henge ps`: one row for each unit, and one for a cell without any; what a cell uses is in its first. */
export function cellsTable(cells: readonly CellStatus[], nowMs: number): string {
  // Of cells that are not allocated, and by an older daemon, nothing is known of it.
  const isUsageKnown = cells.some(({ stats }) => stats !== undefined);
  const rows = cells.flatMap((cell) => {
    const units =
      cell.units.length === 0 ? [["-", "-", "-", "-", "-", "-", "-"]] : cell.units.map(columns);
    return units.map((unit, index) => [
      ...[cell.name, cell.state, ...unit],
      ...(isUsageKnown ? usageColumns(index === 0 ? cell.stats : undefined) : []),
    ]);
  });
  const notReached = cells.flatMap(({ name, notReached: text }) =>
    text === undefined ? [] : [`${printable(`${name}: ${text}`)}\n`],
  );
  const shown = table([...COLUMNS, ...(isUsageKnown ? USAGE_COLUMNS : [])], rows);
  return notReached.length === 0 ? shown : `${shown}\n${notReached.join("")}`;

  function columns(unit: UnitStatus): readonly string[] {
    const running = unit.pid !== undefined && unit.startedAtMs !== undefined;
    return [
      unit.name,
      unit.state,
      unit.ready ? "yes" : "no",
      unit.pid === undefined ? "-" : String(unit.pid),
      running ? age(nowMs - (unit.startedAtMs ?? nowMs)) : "-",
      String(unit.restarts),
      unit.exit === undefined ? "-" : describeExit(unit.exit),
    ];
  }
}

const COLUMNS = "CELL,STATE,UNIT,UNIT STATE,READY,PID,UP,RESTARTS,LAST EXIT".split(",");
const USAGE_COLUMNS = ["MEMORY", "PIDS", "CPU TIME"] as const;

function usageColumns(stats: CellStats | undefined): readonly string[] {
  return [
    stats?.memoryBytes === undefined ? "-" : formatSize(stats.memoryBytes),
    stats?.pids === undefined ? "-" : String(stats.pids),
    stats?.cpuUsageUs === undefined ? "-" : age(stats.cpuUsageUs / 1_000),
  ];
}

/** What the table has no column for. */
function statsText(stats: CellStats | undefined): readonly (readonly [string, string])[] {
  const bytes = (value: number | undefined): string | undefined =>
    value === undefined ? undefined : formatSize(value);
  const facts = [
    ["memory bound", bytes(stats?.memoryMaxBytes)],
    [
      "out of memory",
      stats?.oomKills === undefined ? undefined : `${String(stats.oomKills)} killed`,
    ],
    ["read", bytes(stats?.ioReadBytes)],
    ["written", bytes(stats?.ioWrittenBytes)],
    ...Object.entries(stats?.pressureAvg10 ?? {}).map(([resource, percent]) => [
      `waits for ${resource}`,
      `${percent.toFixed(2)}% of the last 10 s`,
    ]),
  ] as const;
  return facts.flatMap(([key = "", value]) => (value === undefined ? [] : [[key, value] as const]));
}

export function cellText(cell: CellStatus, nowMs: number): string {
  const { boundary, limits, publish } = cell;
  const facts = [
    ["cell", cell.name],
    ["state", cell.state],
    ["reason", cell.reason],
    ["not reached", cell.notReached],
    ["warden", cell.wardenPid?.toString()],
    ["root", boundary?.root],
    ["network", boundary?.network],
    ["hostname", boundary?.hostname],
    ...(boundary?.mounts ?? []).map((mount) => [
      "mount",
      `${mount.volume} on ${mount.path}${mount.readOnly ? " (read-only)" : ""}`,
    ]),
    ...Object.entries(limits).map(([file, text]) => [file, text]),
    ...publish.map((port) => [
      "publish",
      `${port.hostAddress}:${String(port.hostPort)} to ${String(port.cellPort)}`,
    ]),
    ...statsText(cell.stats),
    ...cell.units.map((unit) => [`why ${unit.name}`, unit.reason]),
  ] as const;
  const shownAbove = { ...cell, notReached: undefined };
  const known = facts.flatMap(([key = "", value]) => (value === undefined ? [] : [[key, value]]));
  const shown = known
    .map(([key = "", value = ""]) => `${printable(key)}: ${printable(value)}\n`)
    .join("");
  return `${shown}\n${cellsTable([shownAbove], nowMs)}${cell.units.map(lastLinesText).join("")}`;
}

/** Of a unit that has failed. */
function lastLinesText({ name, state, lastLines }: UnitStatus): string {
  if (lastLines === undefined) return "";
  const lines = lastLines.lines.map((line) => `  | ${printable(line)}\n`);
  return `\n${name} is ${state}; its last lines:\n${lines.length === 0 ? "  | (it said nothing)\n" : lines.join("")}`;
}
