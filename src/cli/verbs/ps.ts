import type { Command } from "commander";

import { cellToJson, cellsTable } from "../cells.js";
import { addVerb } from "../verb.js";
import type { Act } from "../verb.js";

export function addPs(program: Command, act: Act): void {
  addVerb(program, "ps", "list cells and their units", "henge ps -o json").action(
    act((context) =>
      context.withDaemon(async (daemon) => {
        const { cells } = await daemon.call("List", {});
        context.print(cells.map(cellToJson), () => cellsTable(cells, Date.now()));
      }),
    ),
  );
}
