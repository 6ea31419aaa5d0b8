// The parts of a manifest that rules across fields look at, taken from raw values: a field of the wrong
// shape is simply left out here, so that such rules speak up in the same run as the schema does.

import type { Path } from "./problems.js";

export interface Outline {
  /** Empty where there is none that could be used. */
  readonly name: string;
  readonly images: readonly string[];
  readonly volumes: readonly string[];
  readonly network: unknown;
  readonly publish: readonly TextAt[];
  /** Units an upgrade runs. */
  readonly upgrade: readonly TextAt[];
  readonly budgets: readonly BudgetOutline[];
  readonly exclusive: readonly TextAt[];
  /** Parents before children. */
  readonly cells: readonly CellOutline[];
}

export interface BudgetOutline {
  readonly path: readonly [string, string];
  readonly name: string;
  readonly fields: Fields;
  readonly unit: TextAt | undefined;
  readonly expects: readonly {
    readonly name: string;
    readonly value: string;
    readonly path: Path;
  }[];
}

/** A string and where it stands. */
export interface TextAt {
  readonly text: string;
  readonly path: Path;
}

export interface CellOutline {
  readonly path: Path;
  /** Below the root cell, `/`-separated; empty for the root cell itself. */
  readonly name: string;
  readonly nested: readonly string[];
  readonly image: TextAt | undefined;
  /** Volumes of its mounts. */
  readonly volumes: readonly TextAt[];
  /** Paths of its mounts, tmpfs and files. */
  readonly targets: readonly TextAt[];
  /** Where something is mounted, and whether units can write there. */
  readonly places: readonly Place[];
  readonly units: readonly UnitOutline[];
}

export interface Place {
  readonly path: string;
  readonly writable: boolean;
}

export interface UnitOutline {
  readonly path: Path;
  readonly name: string;
  readonly fields: Fields;
  readonly argv: readonly TextAt[];
  readonly after: readonly TextAt[];
  readonly listen: readonly TextAt[];
  readonly staleSockets: readonly TextAt[];
  /** Names of budgets. */
  readonly uses: readonly TextAt[];
  readonly owns: readonly TextAt[];
}

export type Fields = Readonly<Record<string, unknown>>;

export function outlineOf(manifest: unknown): Outline {
  const fields = fieldsOf(manifest);
  return {
    name: typeof fields["name"] === "string" ? fields["name"] : "",
    images: Object.keys(fieldsOf(fields["images"])),
    volumes: Object.keys(fieldsOf(fields["volumes"])),
    network: fields["network"],
    publish: textsOf(fields["publish"], ["publish"]),
    upgrade: ["before", "after"].flatMap((phase) => upgradeUnits(fields, phase)),
    budgets: Object.entries(fieldsOf(fields["budgets"])).map(([name, value]) =>
      outlineBudget(name, fieldsOf(value)),
    ),
    exclusive: textsOf(fields["exclusive"], ["exclusive"]),
    cells: outlineCells(fields, "", []),
  };
}

function upgradeUnits(fields: Fields, phase: string): readonly TextAt[] {
  const runs = fieldsOf(fields["upgrade"])[phase];
  if (!Array.isArray(runs)) return [];
  return runs.flatMap((run: unknown, index) => {
    const path = ["upgrade", phase, index];
    if (typeof run === "string") return [{ text: run, path }];
    const { unit } = fieldsOf(run);
    return typeof unit === "string" ? [{ text: unit, path: [...path, "unit"] }] : [];
  });
}

function outlineBudget(name: string, fields: Fields): BudgetOutline {
  const path = ["budgets", name] as const;
  const expects = Object.entries(fieldsOf(fields["expects"])).flatMap(([option, value]) =>
    typeof value === "string" ? [{ name: option, value, path: [...path, "expects", option] }] : [],
  );
  return { path, name, fields, unit: textIn(fields, "unit", path), expects };
}

function outlineCells(fields: Fields, name: string, path: Path): readonly CellOutline[] {
  const nested = Object.entries(fieldsOf(fields["cells"]));
  const below = nested.flatMap(([label, value]) =>
    outlineCells(fieldsOf(value), name === "" ? label : `${name}/${label}`, [
      ...path,
      "cells",
      label,
    ]),
  );
  return [outlineCell(fields, name, path), ...below];
}

function outlineCell(fields: Fields, name: string, path: Path): CellOutline {
  const inLists = (...lists: readonly string[]): readonly { value: unknown; path: Path }[] =>
    lists.flatMap((list) =>
      itemsOf(fields[list]).map((value, index) => ({ value, path: [...path, list, index] })),
    );
  return {
    path,
    name,
    nested: Object.keys(fieldsOf(fields["cells"])),
    image: textIn(fieldsOf(fields["root"]), "image", [...path, "root"]),
    volumes: inLists("mounts").flatMap(({ value, path: at }) =>
      present(textIn(fieldsOf(value), "volume", at)),
    ),
    targets: inLists("mounts", "tmpfs", "files").flatMap(({ value, path: at }) =>
      typeof value === "string"
        ? [{ text: value, path: at }]
        : present(textIn(fieldsOf(value), "path", at)),
    ),
    places: placesOf(fields),
    units: Object.entries(fieldsOf(fields["units"])).map(([unit, value]) =>
      outlineUnit(unit, fieldsOf(value), [...path, "units", unit]),
    ),
  };
}

// Every cell has these two, whatever its manifest says.
const OWN_TMPFS = ["/run", "/tmp"];

function placesOf(fields: Fields): readonly Place[] {
  const place = (value: unknown, writable: boolean): readonly Place[] => {
    const path = typeof value === "string" ? value : fieldsOf(value)["path"];
    return typeof path === "string" ? [{ path, writable }] : [];
  };
  return [
    ...OWN_TMPFS.flatMap((path) => place(path, true)),
    ...itemsOf(fields["tmpfs"]).flatMap((value) => place(value, true)),
    ...itemsOf(fields["mounts"]).flatMap((value) =>
      place(value, fieldsOf(value)["read-only"] !== true),
    ),
  ];
}

function outlineUnit(name: string, fields: Fields, path: Path): UnitOutline {
  const listen = fieldsOf(fields["listen"]);
  return {
    path,
    name,
    fields,
    argv: textsOf(fields["argv"], [...path, "argv"]),
    after: textsOf(fields["after"], [...path, "after"]),
    staleSockets: textsOf(fields["stale-sockets"], [...path, "stale-sockets"]),
    uses: Object.keys(fieldsOf(fields["uses"])).map((text) => ({
      text,
      path: [...path, "uses", text],
    })),
    owns: textsOf(fields["owns"], [...path, "owns"]),
    listen: Object.keys(listen).flatMap((key) => present(textIn(listen, key, [...path, "listen"]))),
  };
}

export function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : {};
}

export function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

function textsOf(value: unknown, path: Path): readonly TextAt[] {
  return itemsOf(value).flatMap((item, index) =>
    typeof item === "string" ? [{ text: item, path: [...path, index] }] : [],
  );
}

function textIn(fields: Fields, key: string, path: Path): TextAt | undefined {
  const value = Object.hasOwn(fields, key) ? fields[key] : undefined;
  return typeof value === "string" ? { text: value, path: [...path, key] } : undefined;
}

function present<Value>(value: Value | undefined): readonly Value[] {
  return value === undefined ? [] : [value];
}
