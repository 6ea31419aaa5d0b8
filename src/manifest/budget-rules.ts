// Rules about budgets: what their words refer to, that a limit is what its server is started with, and that what is
// exclusive has one owner. Whether the sum fits is the plan's.

import { readOption } from "./budget.js";
import { readReference } from "./dependencies.js";
import type { BudgetOutline, Outline, TextAt, UnitOutline } from "./outline.js";
import { quote, suggest, type Fault, type Path } from "./problems.js";

/** Every breach of a rule about budgets and owners. */
export function checkBudgets(outline: Outline): readonly Fault[] {
  const units = unitsByKey(outline);
  return [
    ...[...units.values()].flatMap((unit) => checkUses(unit, outline)),
    ...outline.budgets.flatMap((budget) => checkBudget(budget, units)),
    ...outline.exclusive.flatMap((thing) => checkOwners(thing, [...units.values()])),
  ];
}

function unitsByKey(outline: Outline): ReadonlyMap<string, UnitOutline> {
  return new Map(
    outline.cells.flatMap(({ name, units }) =>
      units.map((unit): readonly [string, UnitOutline] => [`${name}:${unit.name}`, unit]),
    ),
  );
}

function onKey(path: Path, text: Fault["text"]): Fault {
  return { path, on: "key", text };
}

function checkUses(unit: UnitOutline, { budgets, exclusive }: Outline): readonly Fault[] {
  const known = budgets.map(({ name }) => name);
  const things = exclusive.map(({ text }) => text);
  return [
    ...unit.uses
      .filter(({ text }) => !known.includes(text))
      .map(({ text, path }) =>
        onKey(path, `no budget ${quote(text)} is declared${suggest(text, known)}`),
      ),
    ...unit.owns
      .filter(({ text }) => !things.includes(text))
      .map(({ text, path }) =>
        onKey(path, `no exclusive ${quote(text)} is declared${suggest(text, things)}`),
      ),
  ];
}

function checkBudget(
  budget: BudgetOutline,
  units: ReadonlyMap<string, UnitOutline>,
): readonly Fault[] {
  const { path, fields, unit: reference } = budget;
  if (reference === undefined) return checkWithoutUnit(budget);
  const { cell, unit } = readReference(reference.text, "");
  const server = units.get(`${cell}:${unit}`);
  if (server === undefined) {
    const hint = (): string => suggest(reference.text, [...units.keys()]);
    const text = (): string => `no unit ${quote(reference.text)}${hint()}`;
    return [{ path: reference.path, on: "value", text }];
  }
  const argv = server.argv.map(({ text }) => text);
  const option = fields["option"];
  const ofLimit =
    typeof option === "string"
      ? checkLimit(budget, option, readOption(argv, option))
      : checkLimitGiven(budget);
  const unmet = budget.expects.flatMap(({ name, value, path: at }) => {
    const found = readOption(argv, name);
    if (found === value) return [];
    const said = found === undefined ? `has no ${name}` : `says ${name} ${quote(found)}`;
    return [
      onKey(
        at,
        `argv of ${quote(reference.text)} ${said}, ${quote(path[1])} needs ${quote(value)}`,
      ),
    ];
  });
  return [...ofLimit, ...unmet];
}

function checkWithoutUnit(budget: BudgetOutline): readonly Fault[] {
  const lacking = ["option", "expects", "descriptors"]
    .filter((field) => Object.hasOwn(budget.fields, field))
    .map((field) => onKey([...budget.path, field], "of which unit? say it with `unit`"));
  return lacking.length > 0 ? lacking : checkLimitGiven(budget);
}

function checkLimitGiven({ path, fields }: BudgetOutline): readonly Fault[] {
  const text = "missing: expected limit, or unit and the option in its argv that sets the limit";
  return Object.hasOwn(fields, "limit") ? [] : [onKey(path, text)];
}

function checkLimit(
  { path, fields, unit }: BudgetOutline,
  option: string,
  found: string | undefined,
): readonly Fault[] {
  const server = quote(unit?.text ?? "");
  const at = [...path, "option"];
  if (found === undefined)
    return [{ path: at, on: "value", text: `argv of ${server} has no ${option}` }];
  if (!/^[0-9]{1,9}$/.test(found)) {
    const text = `argv of ${server} says ${option} ${quote(found)}: expected a whole number`;
    return [{ path: at, on: "value", text }];
  }
  const { limit } = fields;
  if (typeof limit !== "number" || limit === Number(found)) return [];
  const text = `argv of ${server} says ${option} ${quote(found)}, not ${String(limit)}`;
  return [{ path: [...path, "limit"], on: "value", text }];
}

/**
 * Whether two generations of it are up at once while it is restarted.
 * @param fields as written
 */
function overlaps({ fields }: UnitOutline): boolean {
  return fields["handover"] === true;
}

function checkOwners({ text, path }: TextAt, units: readonly UnitOutline[]): readonly Fault[] {
  const owners = units.flatMap((unit) =>
    unit.owns.filter((owned) => owned.text === text).map((owned) => ({ unit, owned })),
  );
  if (owners.length === 0) {
    return [{ path, on: "value", text: `no unit owns ${quote(text)}: one must, with \`owns\`` }];
  }
  const [first, ...others] = owners;
  const overlapping = owners
    .filter(({ unit }) => overlaps(unit))
    .map(({ unit, owned }) => ({
      path: owned.path,
      on: "value" as const,
      text: `${quote(unit.name)} hands over: while it does, two would own ${quote(text)}`,
    }));
  const second = others.map(({ owned }) => ({
    path: owned.path,
    on: "value" as const,
    text: `${quote(first?.unit.name ?? "")} owns ${quote(text)} already, and only one may`,
  }));
  return [...overlapping, ...second];
}
