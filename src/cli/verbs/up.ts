import type { Command } from "commander";

import { addApplyOptions, applyManifest } from "../apply.js";
import { addVerb } from "../verb.js";
import type { Act } from "../verb.js";

export function addUp(program: Command, act: Act): void {
  addApplyOptions(
    addVerb(
      program,
      "up <file>",
      "make a monolith what its manifest says",
      "henge up examples/redmine/henge.yaml",
    ),
  ).action(act((context, options, file: string) => applyManifest(context, "Apply", options, file)));
}
