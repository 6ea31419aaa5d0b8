import type { Command } from "commander";

import { parseCell } from "../arguments.js";
import { snapshotToJson, snapshotsTable } from "../snapshots.js";
import { addVerb } from "../verb.js";
import type { Act } from "../verb.js";

export function addSnapshots(program: Command, act: Act): void {
  addVerb(
    program,
    "snapshots <cell>",
    "list the snapshots of a monolith, oldest first",
    "henge snapshots redmine -o json",
  ).action(
    act((context, _options, cell: string) => {
      const request = { cell: parseCell(cell) };
      return context.withDaemon(async (daemon) => {
        const { snapshots } = await daemon.call("Snapshots", request);
        context.print(snapshots.map(snapshotToJson), () => snapshotsTable(snapshots));
      });
    }),
  );
}
