// Start, stop and restart: what is done to the units of a cell, or to one unit.

import { randomUUID } from "node:crypto";

import type { Command } from "commander";

import { parseTarget } from "../arguments.js";
import { stepToJson } from "../cells.js";
import { addChangeOptions, change } from "../operation.js";
import type { ChangeOptions } from "../operation.js";
import { addVerb } from "../verb.js";
import type { Act } from "../verb.js";

const VERBS = {
  start: {
    rpc: "Start",
    summary: "start the units of a cell and of those in it, or one unit (CELL:UNIT)",
    example: "henge start redmine/web",
  },
  stop: {
    rpc: "Stop",
    summary: "stop the units of a cell and of those in it, or one unit (CELL:UNIT)",
    example: "henge stop redmine/sidekiq",
  },
  restart: {
    rpc: "Restart",
    summary:
      "restart a cell's units, or one unit (CELL:UNIT); as their manifest says, without a gap",
    example: "henge restart redmine/web:puma",
  },
} as const;

export function addUnitVerb(verb: keyof typeof VERBS): (program: Command, act: Act) => void {
  const { rpc, summary, example } = VERBS[verb];
  return (program, act) => {
    addChangeOptions(addVerb(program, `${verb} <target>`, summary, example)).action(
      act(async (context, options: ChangeOptions, text: string) => {
        const request = { target: parseTarget(text), requestId: randomUUID() };
        const { steps, operation } = await change(context, rpc, request, options);
        context.print({ steps: steps.map(stepToJson), operation }, () => "");
      }),
    );
  };
}
