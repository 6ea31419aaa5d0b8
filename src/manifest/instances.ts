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
/** In one manifest: what is 64 KiB as written must not become gigabytes. */
const MOST_TOGETHER = 256;

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
  /** Those of them that are too many, each made one. */
  readonly beyond: ReadonlySet<string>;
  readonly faults: Fault[];
}

/** Every unit with `instances` as that many units, named UNIT-INSTANCE. */
export function expandInstances(root: Source): {
  readonly root: Source;
  readonly faults: readonly Fault[];
} {
  let together = 0;
  const beyond = new Set<string>();
  const templates = new Map(
    findTemplates(fieldsOf(root.value), "").map(([key, names]) => {
      together += names.length;
      if (together <= MOST_TOGETHER) return [key, names];
      beyond.add(key);
      return [key, names.slice(0, 1)];
    }),
  );
  if (templates.size === 0) return { root, faults: [] };
  const faults: Fault[] = [];
  return { root: expandCell(root, "", [], { templates, beyond, faults }), faults };
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
    (name, unit) => {
      const key = `${cell}:${name}`;
      const names = context.templates.get(key);
      const waiting = expandAfter(unit, cell, context);
      if (names === undefined) return [[name, waiting]];
      const at = [...path, "units", names[0] ?? "", "instances"];
      if (context.beyond.has(key)) {
        const text = `more than ${String(MOST_TOGETHER)} instances in one manifest`;
        context.faults.push({ path: at, on: "key", text });
      }
      if (!usesPlaceholder(unit)) {
        const text = `${PLACEHOLDER} stands nowhere in ${PLACES.join(", ")}: all of them would be the same`;
        context.faults.push({ path: at, on: "key", text });
      }
      return expandUnit(name, names, waiting);
    },
    (name) => {
      const text = `${quote(name)} is the name of another unit's instance too`;
      context.faults.push({ path: [...path, "units", name], on: "key", text });
    },
  );
}

function usesPlaceholder({ value }: Source): boolean {
  const fields = fieldsOf(value);
  return PLACES.some((place) => JSON.stringify(fields[place] ?? null).includes(PLACEHOLDER));
}

function expandUnit(
  name: string,
  names: readonly string[],
  unit: Source,
): readonly (readonly [string, Source])[] {
  const fields = fieldsOf(unit.value);
  return names.map((newName) => {
    const one = newName.slice(name.length + 1);
    const filled = Object.entries(fields).map(([field, value]): [string, unknown] => [
      field,
      PLACES.includes(field) ? fill(value, one) : value,
    ]);
    const place = { ...unit.place, shownAs: name };
    return [newName, { value: toRecord(filled), place }];
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
  const named = new Set<string>();
  const items = itemsOf(list).flatMap((item, index): readonly Source[] => {
    const place = at.children.get(index) ?? at;
    const shown = { ...place, shownAs: index };
    if (typeof item !== "string") return [{ value: item, place: shown }];
    const reference = readReference(item, cell);
    const names = templates.get(`${reference.cell}:${reference.unit}`);
    if (names === undefined) return [{ value: item, place: shown }];
    const before = item.slice(0, item.length - reference.unit.length);
    const fresh = named.has(item) ? [] : names;
    named.add(item);
    return fresh.map((name) => ({ value: `${before}${name}`, place: shown }));
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
