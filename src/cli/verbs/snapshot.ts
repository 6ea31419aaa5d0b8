import { randomUUID } from "node:crypto";

import type { Command } from "commander";

import { parseCell } from "../arguments.js";
import { parseSnapshot, snapshotToJson, snapshotsTable, timeName } from "../snapshots.js";
import { addVerb } from "../verb.js";
import type { Act } from "../verb.js";

export function addSnapshot(program: Command, act: Act): void {
  addVerb(
    program,
    "snapshot <cell>",
    "take a snapshot of all volumes of a monolith, in one instant",
    "henge snapshot redmine --name before-the-upgrade",
  )
    .option("--name <name>", "what it is called; the time by default")
    .action(
      act((context, options: { readonly name?: string }, cell: string) => {
        const name = parseSnapshot(options.name ?? timeName(Date.now()));
        const request = { cell: parseCell(cell), name, requestId: randomUUID() };
        return context.withDaemon(async (daemon) => {
          const taken = await daemon.call("Snapshot", request);
          context.print(snapshotToJson(taken), () => snapshotsTable([taken]));
        });
      }),
    );
}
