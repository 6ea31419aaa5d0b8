// The manifests that are measured: the smallest cell there is, and many of them.

import { parseManifest } from "../src/manifest/index.js";
import type { CellSpec, UnitSpec } from "../src/spec/index.js";

const HEAD = "henge: 1\nroot: host\nnetwork: host\n";

/** A cell with one unit that runs /bin/true once. */
export const TRUE_MANIFEST = `${HEAD}name: life
units:
  once: { one-shot: true, argv: [/bin/true], user: "0" }
`;

/** A cell with one unit that does nothing until it is stopped. */
export const IDLE_MANIFEST = `${HEAD}name: start
units:
  idle: { argv: [/bin/sleep, infinity], user: "0" }
`;

/** Cells without units, nested in one. */
export function manyCells(count: number): string {
  const cells = Array.from({ length: count - 1 }, (_, index) => `  c${String(index)}: {}\n`);
  return `${HEAD}name: many\ncells:\n${cells.join("")}`;
}

/** Cells with an idle unit each, nested in the root cell of a monolith, which has one too. */
export function busyCells(count: number, name: string): string {
  const units = (indent: string): string =>
    `${indent}units:\n${indent}  idle: { argv: [/bin/sleep, infinity], user: "0" }\n`;
  const cells = Array.from(
    { length: count - 1 },
    (_, index) => `  c${String(index)}:\n${units("    ")}`,
  );
  return `${HEAD}name: ${name}\n${units("")}${count > 1 ? `cells:\n${cells.join("")}` : ""}`;
}

/** The one cell and unit of TRUE_MANIFEST. */
export function trueCell(): { readonly cell: CellSpec; readonly unit: UnitSpec } {
  const [cell] = parseManifest({ file: "bench", directory: "/", text: TRUE_MANIFEST }).cells;
  const [unit] = cell?.units ?? [];
  if (cell === undefined || unit === undefined) throw new Error("the bench's manifest has no unit");
  return { cell, unit };
}
