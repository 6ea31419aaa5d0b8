import { randomUUID } from "node:crypto";

import type { Command } from "commander";

import { parseCell } from "../arguments.js";
import { confirm } from "../confirm.js";
import { parseSnapshot } from "../snapshots.js";
import { addVerb } from "../verb.js";
import type { Act } from "../verb.js";

export function addDestroySnapshot(program: Command, act: Act): void {
  addVerb(
    program,
    "destroy-snapshot <cell> <name>",
    "destroy a snapshot, after its name was typed",
    "henge destroy-snapshot redmine monday --yes monday",
  )
    .option("--yes <name>", "the name, typed beforehand")
    .action(
      act(async (context, options: { readonly yes?: string }, cell: string, text: string) => {
        const name = parseSnapshot(text);
        const request = { cell: parseCell(cell), name, requestId: randomUUID() };
        await confirm(
          {
            act: `destroy snapshot ${name} of ${cell}`,
            loss: `This destroys snapshot ${name} of ${cell}.`,
            names: [name, cell],
            option: "--yes",
            given: options.yes,
          },
          context.io,
        );
        return context.withDaemon(async (daemon) => {
          await daemon.call("DestroySnapshot", request);
          context.print({ destroyed: name }, () => `destroyed snapshot ${name}\n`);
        });
      }),
    );
}
