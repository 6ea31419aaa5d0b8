import { randomUUID } from "node:crypto";

import type { Command } from "commander";

import { parseCell, parsePublished } from "../arguments.js";
import { stepToJson } from "../cells.js";
import { follow } from "../progress.js";
import { parseSnapshot } from "../snapshots.js";
import { addVerb } from "../verb.js";
import type { Act } from "../verb.js";

export function addClone(program: Command, act: Act): void {
  addVerb(
    program,
    "clone <cell> <name> <new>",
    "start a copy of a monolith beside it, from a snapshot; it has other ports and no way out",
    "henge clone redmine monday staging",
  )
    .option(
      "-p, --publish <port...>",
      "HOSTPORT:CELLPORT or ADDRESS:HOSTPORT:CELLPORT in the place of the original's; else free ones",
    )
    .action(
      act(
        (
          context,
          options: { readonly publish?: readonly string[] },
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
          return context.withDaemon(async (daemon) => {
            const steps = await follow(context, daemon.stream("Clone", request));
            const made = await daemon.call("Get", { cell: name });
            const value = { cell: name, publish: made.publish, steps: steps.map(stepToJson) };
            context.print(value, () => "");
          });
        },
      ),
    );
}
