import type { Command } from "commander";

import { addApplyOptions, applyManifest } from "../apply.js";
import { addVerb } from "../verb.js";
import type { Act } from "../verb.js";

export function addUpgrade(program: Command, act: Act): void {
  addApplyOptions(
    addVerb(
      program,
      "upgrade <file>",
      "go to a newer manifest with a snapshot first, cell by cell, and back when it does not hold",
      "henge upgrade mastodon-4.6.6.yaml",
    ),
  ).action(
    act((context, options, file: string) => applyManifest(context, "Upgrade", options, file)),
  );
}
