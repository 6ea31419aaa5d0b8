// Cells and units as JSON and as tables. The keys of the JSON are an interface: see docs/cli.md.

import type { CellStatus, Exit, Step, UnitStatus } from "../api/gen/henge/v1/henge.js";
import { describeStep } from "./progress.js";
import { age, iso, printable, table } from "./text.js";

export function cellToJson(cell: CellStatus) {
  return { cell: cell.name, state: cell.state, units: cell.units.map(unitToJson) };
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
    units: cell.units.map((unit) => ({ ...unitToJson(unit), reason: unit.reason ?? null })),
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

/** The table of `henge ps`: one row for each unit, and one for a cell without any. */
export function cellsTable(cells: readonly CellStatus[], nowMs: number): string {
  const rows = cells.flatMap((cell) => {
    const units =
      cell.units.length === 0 ? [["-", "-", "-", "-", "-", "-", "-"]] : cell.units.map(columns);
    return units.map((unit) => [cell.name, cell.state, ...unit]);
  });
  const notReached = cells.flatMap(({ name, notReached: text }) =>
    text === undefined ? [] : [`${printable(`${name}: ${text}`)}\n`],
  );
  const shown = table(
    ["CELL", "STATE", "UNIT", "UNIT STATE", "READY", "PID", "UP", "RESTARTS", "LAST EXIT"],
    rows,
  );
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
    ...cell.units.map((unit) => [`why ${unit.name}`, unit.reason]),
  ] as const;
  const known = facts.flatMap(([key = "", value]) => (value === undefined ? [] : [[key, value]]));
  const shown = known
    .map(([key = "", value = ""]) => `${printable(key)}: ${printable(value)}\n`)
    .join("");
  return `${shown}\n${cellsTable([cell], nowMs)}`;
}
