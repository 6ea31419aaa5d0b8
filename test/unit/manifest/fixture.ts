// Manifests for tests: the smallest valid one around the part a test is about.

import { ManifestError } from "../../../src/errors.js";
import { parseManifest } from "../../../src/manifest/index.js";
import type { CellSpec, MonolithSpec, UnitSpec } from "../../../src/spec/index.js";

/** Lines 1 to 3 of every manifest here; what a test adds begins on line 4. */
export const HEAD = "henge: 1\nname: shop\nroot: host\n";

export function parse(text: string): MonolithSpec {
  return parseManifest({ file: "shop.yaml", directory: "/srv/shop", text });
}

/** Every problem as `line:column path: text`; none when the manifest is taken. */
export function problemsOf(text: string): readonly string[] {
  try {
    parse(text);
    return [];
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    return error.problems.map(
      ({ line, column, path, text: said }) => `${String(line)}:${String(column)} ${path}: ${said}`,
    );
  }
}

/** The root cell of a manifest with these further lines. */
export function parseCell(lines: string): CellSpec {
  const [cell] = parse(HEAD + lines).cells;
  if (cell === undefined) throw new Error("a monolith without a cell");
  return cell;
}

/** A unit `web` with these fields, written as the inside of a flow mapping. */
export function parseUnit(fields: string): UnitSpec {
  const [unit] = parseCell(unitLine(fields)).units;
  if (unit === undefined) throw new Error("a cell without its unit");
  return unit;
}

/** Problems of such a unit, without the place and the path down to the unit. */
export function unitProblems(fields: string): readonly string[] {
  return problemsOf(HEAD + unitLine(fields)).map((line) =>
    line.replace(/^4:\d+ units\.web\.?/, ""),
  );
}

function unitLine(fields: string): string {
  return `units: { web: { argv: [/bin/web], ${fields} } }\n`;
}
