import type { Command } from "commander";

import { applyManifest } from "../apply.js";
import type { ApplyOptions } from "../apply.js";
import { addVerb } from "../verb.js";
import type { Act } from "../verb.js";

export function addUpgrade(program: Command, act: Act): void {
  addVerb(
    program,
    "upgrade <file>",
    "go to a newer manifest with a snapshot first, cell by cell, and back when it does not hold",
    "henge upgrade mastodon-4.6.6.yaml",
  )
    .option("--allow-missing-controllers", "go without limits this host cannot set")
    .action(
      act((context, options: ApplyOptions, file: string) =>
        applyManifest(context, "Upgrade", options, file),
      ),
    );
}
