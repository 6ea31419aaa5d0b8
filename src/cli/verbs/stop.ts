import { randomUUID } from "node:crypto";

import type { Command } from "commander";

import { parseTarget } from "../arguments.js";
import { stepToJson } from "../cells.js";
import { follow } from "../progress.js";
import { addVerb } from "../verb.js";
import type { Act } from "../verb.js";

export function addStop(program: Command, act: Act): void {
  addVerb(
    program,
    "stop <target>",
    "stop the units of a cell and of those in it, or one unit (CELL:UNIT)",
    "henge stop redmine/sidekiq",
  ).action(
    act((context, _options, text: string) => {
      const request = { target: parseTarget(text), requestId: randomUUID() };
      return context.withDaemon(async (daemon) => {
        const steps = await follow(context, daemon.stream("Stop", request));
        context.print({ steps: steps.map(stepToJson) }, () => "");
      });
    }),
  );
}
