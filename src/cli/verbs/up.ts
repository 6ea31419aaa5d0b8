import type { Command } from "commander";

import { applyManifest } from "../apply.js";
import type { ApplyOptions } from "../apply.js";
import { addVerb } from "../verb.js";
import type { Act } from "../verb.js";

export function addUp(program: Command, act: Act): void {
  addVerb(
    program,
    "up <file>",
    "make a monolith what its manifest says",
    "henge up examples/redmine/henge.yaml",
  )
    .option("--allow-missing-controllers", "go without limits this host cannot set")
    .action(
      act((context, options: ApplyOptions, file: string) =>
        applyManifest(context, "Apply", options, file),
      ),
    );
}
