import { randomUUID } from "node:crypto";

import type { Command } from "commander";

import { parseCell } from "../arguments.js";
import { addVerb } from "../verb.js";
import type { Act } from "../verb.js";

export function addThaw(program: Command, act: Act): void {
  addVerb(program, "thaw <cell>", "let a frozen cell go on", "henge thaw redmine/sidekiq").action(
    act((context, _options, name: string) => {
      const request = { cell: parseCell(name), requestId: randomUUID() };
      return context.withDaemon(async (daemon) => {
        await daemon.call("Thaw", request);
        context.print({ cell: request.cell, state: "running" }, () => `${request.cell} goes on\n`);
      });
    }),
  );
}
