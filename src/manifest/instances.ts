// Units with `instances`: one written, several meant. Raw values → raw values, before anything else looks at them, so that
// every rule sees the units there will be and points at the one that was written.

import { z } from "zod";

import { readReference } from "./dependencies.js";
import { fieldsOf, itemsOf, type Fields } from "./outline.js";
import { expected, quote, type Fault, type Path } from "./problems.js";
import { notation, wholeNumber } from "./values.js";
import type { Place } from "./yaml.js";

const PLACEHOLDER = "${instance}";
const PLACES = ["argv", "env", "listen", "stale-sockets", "readiness", "liveness", "health"];
const MOST = 64;

const instance = z.union(
  [
    wholeNumber(0, 99_999_999),
    notation(/^[a-z0-9](?:[a-z0-9-]{0,13}[a-z0-9])?$/, "small letters, digits or -"),
  ],
  { error: expected("a number, or at most 15 small letters, digits or -") },
);

export const instances = z
  .array(instance)
  .min(1, { error: "expected at least one instance" })
  .max(MOST, { error: `expected at most ${String(MOST)} instances` })
  .refine((given) => new Set(given.map(String)).size === given.length, {
    error: "expected each instance once",
  });

interface Source {
  readonly value: unknown;
  readonly place: Place;
}

interface Context {
  /** `CELL:UNIT`, the cell below the root cell → the names its instances get. */
  readonly templates: ReadonlyMap<string, readonly string[]>;
  readonly faults: Fault[];
}

/** Every unit with `instances` as that many units, named UNIT-INSTANCE. */
export function expandInstances(root: Source): {
  readonly root: Source;
  readonly faults: readonly Fault[];
} {
  const templates = new Map(findTemplates(fieldsOf(root.value), ""));
  if (templates.size === 0) return { root, faults: [] };
  const faults: Fault[] = [];
  return { root: expandCell(root, "", [], { templates, faults }), faults };
}

function findTemplates(
  fields: Fields,
  cell: string,
): readonly (readonly [string, readonly string[]])[] {
  return [
    ...Object.entries(fieldsOf(fields["units"])).flatMap(([unit, value]) => {
      const found = instancesOf(value);
      if (found === undefined) return [];
      return [[`${cell}:${unit}`, found.map((one) => `${unit}-${one}`)] as const];
    }),
    ...Object.entries(fieldsOf(fields["cells"])).flatMap(([label, value]) =>
      findTemplates(fieldsOf(value), cell === "" ? label : `${cell}/${label}`),
    ),
  ];
}

function instancesOf(unit: unknown): readonly string[] | undefined {
  const fields = fieldsOf(unit);
  if (!Object.hasOwn(fields, "instances")) return undefined;
  const { success, data } = instances.safeParse(fields["instances"]);
  // The schema says what is wrong with the list; what else is wrong with the unit is said in the same run.
  return success ? data.map(String) : ["1"];
}

function expandCell(source: Source, cell: string, path: Path, context: Context): Source {
  const below = (label: string): string => (cell === "" ? label : `${cell}/${label}`);
  const cells = mapEntries(source, "cells", (label, nested) => [
    [label, expandCell(nested, below(label), [...path, "cells", label], context)],
  ]);
  return mapEntries(
    cells,
    "units",
    (name, unit) => expandUnit(name, expandAfter(unit, cell, context), path, context),
    (name) => {
      const text = `${quote(name)} is the name of another unit's instance too`;
      context.faults.push({ path: [...path, "units", name], on: "key", text });
    },
  );
}

function expandUnit(
  name: string,
  unit: Source,
  path: Path,
  { faults }: Context,
): readonly (readonly [string, Source])[] {
  const found = instancesOf(unit.value);
  if (found === undefined) return [[name, unit]];
  const fields = fieldsOf(unit.value);
  if (!PLACES.some((place) => JSON.stringify(fields[place] ?? null).includes(PLACEHOLDER))) {
    const text = `${PLACEHOLDER} stands nowhere in ${PLACES.join(", ")}: all of them would be the same`;
    faults.push({
      path: [...path, "units", `${name}-${found[0] ?? ""}`, "instances"],
      on: "key",
      text,
    });
  }
  return found.map((one) => {
    const filled = Object.entries(fields).map(([field, value]): [string, unknown] => [
      field,
      PLACES.includes(field) ? fill(value, one) : value,
    ]);
    const place = { ...unit.place, shownAs: name };
    return [`${name}-${one}`, { value: toRecord(filled), place }];
  });
}

/** @param field its key in the mapping around it */
function fill(value: unknown, one: string, field?: string): unknown {
  if (typeof value === "string") {
    const isPort = (field === "port" || field === "tcp") && value === PLACEHOLDER;
    if (isPort && /^[0-9]+$/.test(one)) return Number(one);
    return value.replaceAll(PLACEHOLDER, () => one);
  }
  if (Array.isArray(value)) return value.map((item: unknown) => fill(item, one));
  if (typeof value !== "object" || value === null) return value;
  return toRecord(Object.entries(value).map(([key, item]) => [key, fill(item, one, key)]));
}

/** Who waits for a template waits for all of its instances. */
function expandAfter(unit: Source, cell: string, { templates }: Context): Source {
  const list = fieldsOf(unit.value)["after"];
  const at = unit.place.children.get("after");
  if (!Array.isArray(list) || at === undefined) return unit;
  const items = itemsOf(list).flatMap((item, index): readonly Source[] => {
    const place = at.children.get(index) ?? at;
    const shown = { ...place, shownAs: index };
    if (typeof item !== "string") return [{ value: item, place: shown }];
    const reference = readReference(item, cell);
    const names = templates.get(`${reference.cell}:${reference.unit}`);
    const before = item.slice(0, item.length - reference.unit.length);
    return (names ?? [reference.unit]).map((name) => ({ value: `${before}${name}`, place: shown }));
  });
  const children = new Map(items.map(({ place }, index) => [index, place]));
  return withChild(unit, "after", {
    value: items.map(({ value }) => value),
    place: { ...at, children },
  });
}

/** Replaces each entry of a mapping by others. @param onTwice told of a key that comes up a second time */
function mapEntries(
  source: Source,
  key: string,
  map: (name: string, entry: Source) => readonly (readonly [string, Source])[],
  onTwice: (name: string) => void = () => undefined,
): Source {
  const place = source.place.children.get(key);
  const entries = Object.entries(fieldsOf(fieldsOf(source.value)[key]));
  if (place === undefined || entries.length === 0) return source;
  const made = new Map<string, Source>();
  for (const [name, value] of entries) {
    const at = place.children.get(name) ?? place;
    for (const [newName, entry] of map(name, { value, place: at })) {
      if (made.has(newName)) onTwice(newName);
      else made.set(newName, entry);
    }
  }
  const children = new Map([...made].map(([name, entry]) => [name, entry.place]));
  const value = toRecord([...made].map(([name, entry]) => [name, entry.value]));
  return withChild(source, key, { value, place: { ...place, children } });
}

function withChild(source: Source, key: string, child: Source): Source {
  const children = new Map(source.place.children).set(key, child.place);
  const value = toRecord([...Object.entries(fieldsOf(source.value)), [key, child.value]]);
  return { value, place: { ...source.place, children } };
}

// No prototype, as the reader of YAML makes them.
function toRecord(entries: readonly (readonly [string, unknown])[]): Fields {
  return Object.assign(Object.create(null) as object, Object.fromEntries(entries));
}
