import type { Command } from "commander";

import { parseCell } from "../arguments.js";
import { cellText, cellToFullJson } from "../cells.js";
import { addVerb } from "../verb.js";
import type { Act } from "../verb.js";

export function addGet(program: Command, act: Act): void {
  addVerb(
    program,
    "get <cell>",
    "tell all that is known of one cell, and what units that have failed said last",
    "henge get redmine/web",
  ).action(
    act((context, _options, name: string) => {
      const request = { cell: parseCell(name) };
      return context.withDaemon(async (daemon) => {
        const cell = await daemon.call("Get", request);
        context.print(cellToFullJson(cell), () => cellText(cell, Date.now()));
      });
    }),
  );
}
