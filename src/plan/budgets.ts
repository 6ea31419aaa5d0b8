// What is asked of each budget of a monolith, and of the host, beside what there is. Limits are compared with what is
// asked while the generations of units that hand over are both up.

import type {
  BudgetPart,
  BudgetRow,
  BudgetSpec,
  CellSpec,
  HostCapacity,
  LimitFile,
  MonolithSpec,
  UnitRef,
  UnitSpec,
} from "../spec/index.js";
import { formatSize, parentOf } from "../spec/index.js";

import { unitKey } from "./unit-ref.js";

/** What a server opens beside its clients: sockets it listens on, files, pipes. */
const OWN_DESCRIPTORS = 64;

/** @param others the other monoliths of the host: they share its memory */
export function planBudgets(
  spec: MonolithSpec,
  others: readonly MonolithSpec[],
  host: HostCapacity,
): readonly BudgetRow[] {
  const budgets = spec.budgets ?? [];
  return [
    ...budgets.map((budget) => connectionRow(budget, spec)),
    ...(spec.exclusive ?? []).map(({ name, owner }) =>
      toRow(
        name,
        [{ who: unitKey(owner), amount: 1, times: 1 }],
        1,
        "exclusive: one owner",
        "refused",
      ),
    ),
    ...budgets.flatMap((budget) => descriptorRow(budget, spec, host)),
    ...spec.cells.flatMap((cell) => nofileRows(cell, host)),
    ...memoryRows(spec, others, host),
  ];
}

/** One line on each that cannot fit, with its sum. */
export function describeRefused(rows: readonly BudgetRow[]): readonly string[] {
  return rows.filter(({ verdict }) => verdict === "refused").map(describeSum);
}

/** Those beyond their limit for which that is allowed. */
export function describeOver(rows: readonly BudgetRow[]): readonly string[] {
  return rows.filter(({ verdict }) => verdict === "over").map(describeSum);
}

function describeSum({ name, isBytes, doubled, limit, from, parts }: BudgetRow): string {
  const show = (amount: number | undefined): string => {
    if (amount === undefined) return "no bound";
    return isBytes ? formatSize(amount) : String(amount);
  };
  const sum = parts
    .map(
      ({ who, amount, times }) => `${who} ${times > 1 ? `${String(times)} × ` : ""}${show(amount)}`,
    )
    .join(" + ");
  return `${name}: ${show(doubled)} asked of ${show(limit)} (${from}): ${sum}`;
}

function toRow(
  name: string,
  parts: readonly BudgetPart[],
  limit: number,
  from: string,
  beyond: "over" | "refused",
  isBytes = false,
): BudgetRow {
  const sum = (times: (part: BudgetPart) => number): number | undefined =>
    parts.reduce<number | undefined>(
      (total, part) =>
        total === undefined || part.amount === undefined
          ? undefined
          : total + part.amount * times(part),
      0,
    );
  const asked = sum(() => 1);
  const doubled = sum(({ times }) => times);
  const fits = doubled !== undefined && doubled <= limit;
  return {
    ...{ name, isBytes, limit, from, parts, verdict: fits ? "fits" : beyond },
    ...(asked === undefined ? {} : { asked }),
    ...(doubled === undefined ? {} : { doubled }),
  };
}

function connectionRow(budget: BudgetSpec, spec: MonolithSpec): BudgetRow {
  const { name, reserved, oneOffs, limit, unit: server, option, uses } = budget;
  const from = server && option ? `${option} of ${unitKey(server)}` : "the manifest";
  const parts = [
    ...(reserved === 0 ? [] : [{ who: "reserved", amount: reserved, times: 1 }]),
    ...uses.map(({ unit, amount }) => ({
      who: unitKey(unit),
      amount,
      times: overlaps(findUnit(spec, unit)) ? 2 : 1,
    })),
    ...(oneOffs === undefined
      ? []
      : [
          {
            who: `one-offs ${String(oneOffs.atOnce)} at once`,
            amount: oneOffs.atOnce * oneOffs.each,
            times: 1,
          },
        ]),
  ];
  return toRow(name, parts, limit, from, "refused");
}

/** Whether two generations of it are up at once while it is restarted. */
function overlaps(unit: UnitSpec | undefined): boolean {
  return unit?.handover === true;
}

function findUnit(spec: MonolithSpec, { cell, unit }: UnitRef): UnitSpec | undefined {
  return spec.cells.find(({ name }) => name === cell)?.units.find(({ name }) => name === unit);
}

function descriptorRow(
  { name, descriptors, limit, unit }: BudgetSpec,
  spec: MonolithSpec,
  { nofileDefault }: HostCapacity,
): readonly BudgetRow[] {
  if (!descriptors || unit === undefined) return [];
  const nofile = findUnit(spec, unit)?.nofile;
  const parts = [
    { who: name, amount: limit, times: 1 },
    { who: "its own", amount: OWN_DESCRIPTORS, times: 1 },
  ];
  const from = nofile === undefined ? "nofile by default" : "nofile of the unit";
  const title = `descriptors of ${unitKey(unit)}`;
  return [toRow(title, parts, nofile ?? nofileDefault, from, "refused")];
}

function nofileRows({ name, units }: CellSpec, host: HostCapacity): readonly BudgetRow[] {
  return units.flatMap(({ name: unit, nofile }) => {
    if (nofile === undefined) return [];
    const who = unitKey({ cell: name, unit });
    const parts = [{ who, amount: nofile, times: 1 }];
    return [toRow(`nofile of ${who}`, parts, host.nofileMax, host.nofileFrom, "refused")];
  });
}

/** What is promised must be there; what is only allowed may be more than there is. */
function memoryRows(
  spec: MonolithSpec,
  others: readonly MonolithSpec[],
  { memoryBytes }: HostCapacity,
): readonly BudgetRow[] {
  const row = (file: LimitFile, beyond: "over" | "refused"): readonly BudgetRow[] => {
    const ofSpec = rootMemory(spec, file);
    if (ofSpec === undefined) return [];
    const parts = [ofSpec, ...others.flatMap((other) => rootMemory(other, file) ?? [])];
    return [toRow(file, parts, memoryBytes, "memory of this host", beyond, true)];
  };
  return [
    ...row("memory.min", "refused"),
    ...row("memory.low", "refused"),
    ...row("memory.max", "over"),
  ];
}

/** undefined where it says nothing of it. */
function rootMemory(spec: MonolithSpec, file: LimitFile): BudgetPart | undefined {
  const [root] = spec.cells;
  if (root === undefined) return undefined;
  // What is promised to nested cells is promised; what bounds them bounds nothing beside them.
  const bytes = file === "memory.max" ? bytesOf(root.limits[file]) : promisedTo(root, spec, file);
  if (bytes === undefined) return undefined;
  return { who: spec.name, times: 1, ...(Number.isFinite(bytes) ? { amount: bytes } : {}) };
}

function bytesOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : text === "max" ? Infinity : Number(text);
}

function promisedTo(cell: CellSpec, spec: MonolithSpec, file: LimitFile): number | undefined {
  const own = bytesOf(cell.limits[file]);
  if (own !== undefined) return own;
  const nested = spec.cells
    .filter(({ name }) => parentOf(name) === cell.name)
    .flatMap((child) => promisedTo(child, spec, file) ?? []);
  return nested.length === 0 ? undefined : nested.reduce((total, bytes) => total + bytes, 0);
}
