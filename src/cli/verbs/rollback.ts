import { randomUUID } from "node:crypto";

import type { Command } from "commander";

import { parseCell } from "../arguments.js";
import { stepToJson } from "../cells.js";
import { confirm } from "../confirm.js";
import { change } from "../operation.js";
import { parseSnapshot } from "../snapshots.js";
import { addVerb } from "../verb.js";
import type { Act } from "../verb.js";

export function addRollback(program: Command, act: Act): void {
  addVerb(
    program,
    "rollback <cell> <name>",
    "make the volumes of a stopped monolith what they were; what came after the snapshot is lost",
    "henge stop redmine && henge rollback redmine monday && henge start redmine",
  )
    .option("--yes <name>", "the snapshot's name, typed beforehand")
    .action(
      act(async (context, options: { readonly yes?: string }, cell: string, text: string) => {
        const name = parseSnapshot(text);
        const request = { cell: parseCell(cell), name, requestId: randomUUID() };
        await confirm(
          {
            act: `roll back ${cell} to ${name}`,
            loss: `This destroys what ${cell} has written since ${name}, and its later snapshots.`,
            names: [name, cell],
            option: "--yes",
            given: options.yes,
          },
          context.io,
        );
        const { steps, operation } = await change(context, "Rollback", request);
        context.print({ steps: steps.map(stepToJson), rolledBackTo: name, operation }, () => "");
      }),
    );
}
