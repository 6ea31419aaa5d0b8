// Whether a file of settings says what the cells that are shown it need. What it says is never repeated: of a line that
// cannot be read not even its name, for that may be part of a secret.

import type { SettingsSpec } from "../spec/index.js";

type Line = { readonly name: string; readonly isEmpty: boolean } | "nothing" | "malformed";

const NAME = /^(?:export [ \t\r]*)?([A-Za-z_][A-Za-z0-9_]*)[ \t\r]*=[ \t\r]*/;
const QUOTED = /^(?:"(?:\\.|[^"\\])*"|'[^']*')[ \t\r]*(?:#.*)?$/;

/** What is wrong with the file, with line and name, e.g. `line 3: DB_PASS is empty`. @param specs all of one file */
export function settingsProblems(text: string, specs: readonly SettingsSpec[]): readonly string[] {
  const lines = text.split("\n").map(readLine);
  const malformed = lines.flatMap((line, index) =>
    line === "malformed" ? [`line ${String(index + 1)} is not NAME=VALUE`] : [],
  );
  const found = new Map<string, { readonly line: number; readonly isEmpty: boolean }>();
  lines.forEach((line, index) => {
    if (typeof line === "object") found.set(line.name, { line: index + 1, isEmpty: line.isEmpty });
  });
  const needed = new Set(specs.flatMap(({ keys }) => keys));
  const unmet = [...needed].flatMap((name) => {
    const at = found.get(name);
    if (at === undefined) return [`${name} is missing`];
    return at.isEmpty ? [`line ${String(at.line)}: ${name} is empty`] : [];
  });
  const refused = specs.flatMap(({ cell, without }) =>
    without.flatMap((name) => {
      const at = found.get(name);
      return at === undefined ? [] : [`line ${String(at.line)}: ${cell} must not be given ${name}`];
    }),
  );
  return [...malformed, ...unmet, ...refused];
}

/** As the warden reads environment files. The last line that sets a name counts. */
function readLine(text: string): Line {
  const line = text.replace(/^[ \t\r]+/, "");
  if (line === "" || line.startsWith("#")) return "nothing";
  const [head, name] = NAME.exec(line) ?? [];
  if (head === undefined || name === undefined || line.includes("\0")) return "malformed";
  const value = line.slice(head.length);
  if (!/^["']/.test(value)) return { name, isEmpty: value === "" || value.startsWith("#") };
  return QUOTED.test(value) ? { name, isEmpty: /^(?:""|'')/.test(value) } : "malformed";
}
