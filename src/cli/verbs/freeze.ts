import { randomUUID } from "node:crypto";

import type { Command } from "commander";

import { parseCell } from "../arguments.js";
import { addVerb } from "../verb.js";
import type { Act } from "../verb.js";

export function addFreeze(program: Command, act: Act): void {
  addVerb(
    program,
    "freeze <cell>",
    "hold every process of a cell where it is",
    "henge freeze redmine/sidekiq",
  ).action(
    act((context, _options, name: string) => {
      const request = { cell: parseCell(name), requestId: randomUUID() };
      return context.withDaemon(async (daemon) => {
        await daemon.call("Freeze", request);
        context.print({ cell: request.cell, state: "frozen" }, () => `${request.cell} is frozen\n`);
      });
    }),
  );
}
