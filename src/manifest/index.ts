// YAML text → MonolithSpec. Pure: reads no file, follows no path, and reports all that is wrong at once.

import { z } from "zod";

import { ManifestError } from "../errors.js";
import type { MonolithSpec } from "../spec/index.js";
import { manifest } from "./cell.js";
import { expandInstances } from "./instances.js";
import { normalise } from "./normalise.js";
import { outlineOf } from "./outline.js";
import { faultsOf, toProblems, wordIssue, type LocatedFault, type Path } from "./problems.js";
import { checkRules } from "./rules.js";
import { locate, readYaml } from "./yaml.js";

export interface ManifestText {
  /** As the user named it, for messages. */
  readonly file: string;
  /** Absolute directory the manifest's relative paths start from. */
  readonly directory: string;
  readonly text: string;
}

/** @throws {ManifestError} with every problem of the manifest, in the order of its lines */
export function parseManifest({ file, directory, text }: ManifestText): MonolithSpec {
  const source = readYaml(text);
  if (source.root === undefined) throw refuse(file, text, source.faults);
  const { root, faults } = expandInstances(source.root);
  const parsed = manifest.safeParse(root.value, { error: wordIssue });
  const shape = parsed.error?.issues.flatMap((issue) => faultsOf(issue)) ?? [];
  const between = checkRules(outlineOf(root.value));
  const located = [...faults, ...shape, ...between].map((fault) => locate(root.place, fault));
  const all = [...source.faults, ...located];
  if (parsed.success && all.length === 0) return normalise(parsed.data, directory);
  throw refuse(file, text, all);
}

/**
 * What somebody who has looked further found wrong with a manifest that could be read.
 * @param faults path: keys and indices from the top of the manifest down
 */
export function manifestError(
  { file, text }: ManifestText,
  faults: readonly { readonly path: Path; readonly text: string }[],
): ManifestError {
  const { root } = readYaml(text);
  const place = root === undefined ? undefined : expandInstances(root).root.place;
  const located = faults.map((fault) =>
    place === undefined
      ? { ...fault, offset: 0 }
      : locate(place, { path: fault.path, on: "value", text: fault.text }),
  );
  return refuse(file, text, located);
}

function refuse(file: string, text: string, faults: readonly LocatedFault[]): ManifestError {
  return new ManifestError(file, toProblems(text, faults));
}

/** The JSON Schema (draft 2020-12) of a manifest: what `parseManifest` checks field by field. */
export function manifestJsonSchema(): object {
  const schema = z.toJSONSchema(manifest, { io: "input", target: "draft-2020-12" });
  return { ...schema, title: "Henge manifest" };
}
