import { randomUUID } from "node:crypto";

import type { Command } from "commander";

import { parseCell, parsePublished } from "../arguments.js";
import { stepToJson } from "../cells.js";
import { addChangeOptions, change } from "../operation.js";
import type { ChangeOptions } from "../operation.js";
import { parseSnapshot } from "../snapshots.js";
import { addVerb } from "../verb.js";
import type { Act } from "../verb.js";

export function addClone(program: Command, act: Act): void {
  addChangeOptions(
    addVerb(
      program,
      "clone <cell> <name> <new>",
      "start a copy of a monolith beside it, from a snapshot; it has other ports and no way out",
      "henge clone redmine monday staging",
    ),
  )
    .option(
      "-p, --publish <port...>",
      "HOSTPORT:CELLPORT or ADDRESS:HOSTPORT:CELLPORT in the place of the original's; else free ones",
    )
    .action(
      act(
        async (
          context,
          options: ChangeOptions & { readonly publish?: readonly string[] },
          cell: string,
          snapshot: string,
          name: string,
        ) => {
          const request = {
            cell: parseCell(cell),
            snapshot: parseSnapshot(snapshot),
            name: parseCell(name),
            publish: (options.publish ?? []).map(parsePublished),
            requestId: randomUUID(),
          };
          const { steps, operation, isLeft } = await change(context, "Clone", request, options);
          const made = isLeft
            ? undefined
            : await context.withDaemon((daemon) => daemon.call("Get", { cell: name }));
          const publish = made?.publish ?? [];
          const value = { cell: name, publish, steps: steps.map(stepToJson), operation };
          context.print(value, () => "");
        },
      ),
    );
}
