import { randomUUID } from "node:crypto";

import type { Command } from "commander";

import { change } from "../operation.js";
import { addVerb } from "../verb.js";
import type { Act } from "../verb.js";

export function addHalt(program: Command, act: Act): void {
  addVerb(
    program,
    "halt",
    "stop everything in order, until resume or the next boot",
    "henge halt",
  ).action(
    act(async (context) => {
      const { operation } = await change(context, "Halt", { requestId: randomUUID() });
      context.print({ halted: true, operation }, () => "");
    }),
  );
}
