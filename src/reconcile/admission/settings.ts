// The host's files that cells are to be shown: looked at before anything is changed. Those of settings, which a manifest
// names keys of, are read, and never kept.

import { HengeError } from "../../errors.js";
import { settingsProblems } from "../../plan/index.js";
import type { MonolithSpec, SettingsSpec } from "../../spec/index.js";

import type { Ports } from "../ports.js";

const SHOWN = 10;

/** @throws {HengeError} WRONG_STATE: a file cannot be used, with the lines and names but never a value */
export async function refuseUnfitSettings(
  { cells, settings = [] }: MonolithSpec,
  { readSettings }: Pick<Ports, "readSettings">,
): Promise<void> {
  for (const { source } of cells.flatMap(({ boundary }) => boundary.files))
    await readSettings(source, "anything");
  const bySource = new Map<string, SettingsSpec[]>();
  for (const spec of settings)
    bySource.set(spec.source, [...(bySource.get(spec.source) ?? []), spec]);
  for (const [source, specs] of bySource) {
    const problems = settingsProblems(await readSettings(source), specs);
    if (problems.length === 0) continue;
    const more = problems.length - SHOWN;
    const shown = problems.slice(0, SHOWN).join("; ");
    const rest = more > 0 ? `; and ${String(more)} more` : "";
    throw new HengeError("WRONG_STATE", `cannot use the settings ${source}: ${shown}${rest}`, {
      hint: "the manifest says under `files` what it must and must not set",
    });
  }
}
