// `after`: what its words refer to, and whether the whole of them can be put in an order.

import type { Outline, TextAt, UnitOutline } from "./outline.js";
import { quote, suggest, type Fault } from "./problems.js";

/** `web` beside it, `db:postgres` in another cell, `.:setup` in the root cell. */
export interface Reference {
  /** Below the root cell; empty for the root cell. */
  readonly cell: string;
  readonly unit: string;
}

/** Resolves one word of `after` as written in a cell. */
export function readReference(text: string, cell: string): Reference {
  const cut = text.indexOf(":");
  if (cut < 0) return { cell, unit: text };
  const named = text.slice(0, cut);
  return { cell: named === "." ? "" : named, unit: text.slice(cut + 1) };
}

interface Node {
  readonly cell: string;
  readonly unit: UnitOutline;
  readonly edges: readonly { readonly to: string; readonly at: TextAt }[];
}

/** Unknown units, units that wait for themselves, and cycles. */
export function checkDependencies(outline: Outline): readonly Fault[] {
  const nodes = collect(outline);
  const dangling = [...nodes.values()].flatMap((node) =>
    node.edges
      .filter(({ to }) => !nodes.has(to))
      .map(({ at }) => ({
        path: at.path,
        on: "value" as const,
        text: () => unknownUnit(at, node, nodes),
      })),
  );
  return [...dangling, ...findCycles(nodes)];
}

function collect(outline: Outline): ReadonlyMap<string, Node> {
  const nodes = outline.cells.flatMap((cell) =>
    cell.units.map((unit): readonly [string, Node] => {
      const edges = unit.after.map((at) => ({ to: keyOf(readReference(at.text, cell.name)), at }));
      return [keyOf({ cell: cell.name, unit: unit.name }), { cell: cell.name, unit, edges }];
    }),
  );
  return new Map(nodes);
}

function keyOf({ cell, unit }: Reference): string {
  return `${cell === "" ? "." : cell}:${unit}`;
}

function unknownUnit(at: TextAt, node: Node, nodes: ReadonlyMap<string, Node>): string {
  const prefix = keyOf({ cell: node.cell, unit: "" });
  const beside = [...nodes.keys()].filter((key) => key.startsWith(prefix));
  const known = [...beside.map((key) => key.slice(prefix.length)), ...nodes.keys()];
  const elsewhere = [...nodes.keys()].find((key) => key.endsWith(`:${at.text}`));
  const hint =
    elsewhere === undefined ? suggest(at.text, known) : `; did you mean ${quote(elsewhere)}?`;
  return `no unit ${quote(at.text)}${hint}`;
}

// Depth first, so that each back edge is one cycle; every unit is entered once.
function findCycles(nodes: ReadonlyMap<string, Node>): readonly Fault[] {
  const faults: Fault[] = [];
  const done = new Set<string>();
  const trail = new Set<string>();
  const visit = (key: string): void => {
    trail.add(key);
    for (const { to, at } of nodes.get(key)?.edges ?? []) {
      if (trail.has(to)) {
        const cycle = describeCycle([...trail].slice([...trail].indexOf(to)));
        faults.push({ path: at.path, on: "value", text: cycle });
      } else if (!done.has(to) && nodes.has(to)) visit(to);
    }
    trail.delete(key);
    done.add(key);
  };
  for (const key of nodes.keys()) if (!done.has(key)) visit(key);
  return faults;
}

const MAX_CYCLE_SHOWN = 12;

function describeCycle(keys: readonly string[]): string {
  const [first = ""] = keys;
  if (keys.length === 1) return "a unit cannot wait for itself";
  const shown = keys.length > MAX_CYCLE_SHOWN ? [...keys.slice(0, MAX_CYCLE_SHOWN - 1), "…"] : keys;
  const cells = new Set(keys.map((key) => key.slice(0, key.indexOf(":"))));
  const loop = [...shown, first].map((key) => (cells.size > 1 ? key : key.replace(/^[^:]*:/, "")));
  return `dependency cycle ${loop.join(" → ")}`;
}
