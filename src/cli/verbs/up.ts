import { randomUUID } from "node:crypto";

import type { Command } from "commander";

import { cellsTable, stepToJson } from "../cells.js";
import { withManifest } from "../manifest-file.js";
import { follow } from "../progress.js";
import { addVerb } from "../verb.js";
import type { Act } from "../verb.js";

export function addUp(program: Command, act: Act): void {
  addVerb(
    program,
    "up <file>",
    "make a monolith what its manifest says",
    "henge up examples/redmine/redmine.yaml",
  )
    .option("--allow-missing-controllers", "go without limits this host cannot set")
    .action(
      act((context, options: { allowMissingControllers?: boolean }, file: string) =>
        withManifest(file, context.io.cwd, (manifest) =>
          context.withDaemon(async (daemon) => {
            const allowMissingControllers = options.allowMissingControllers ?? false;
            const request = { manifest, allowMissingControllers, requestId: randomUUID() };
            const steps = await follow(context, daemon.stream("Apply", request));
            const { cells } = await daemon.call("List", {});
            context.print(
              { steps: steps.map(stepToJson) },
              () => `\n${cellsTable(cells, Date.now())}`,
            );
          }),
        ),
      ),
    );
}
