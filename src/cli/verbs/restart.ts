import { randomUUID } from "node:crypto";

import type { Command } from "commander";

import { parseTarget } from "../arguments.js";
import { stepToJson } from "../cells.js";
import { follow } from "../progress.js";
import { addVerb } from "../verb.js";
import type { Act } from "../verb.js";

export function addRestart(program: Command, act: Act): void {
  addVerb(
    program,
    "restart <target>",
    "restart a cell's units, or one unit (CELL:UNIT); as their manifest says, without a gap",
    "henge restart redmine/web:puma",
  ).action(
    act((context, _options, text: string) => {
      const request = { target: parseTarget(text), requestId: randomUUID() };
      return context.withDaemon(async (daemon) => {
        const steps = await follow(context, daemon.stream("Restart", request));
        context.print({ steps: steps.map(stepToJson) }, () => "");
      });
    }),
  );
}
