import { randomUUID } from "node:crypto";

import type { Command } from "commander";

import { follow } from "../progress.js";
import { addVerb } from "../verb.js";
import type { Act } from "../verb.js";

export function addHalt(program: Command, act: Act): void {
  addVerb(
    program,
    "halt",
    "stop everything in order, until resume or the next boot",
    "henge halt",
  ).action(
    act((context) => {
      const request = { requestId: randomUUID() };
      return context.withDaemon(async (daemon) => {
        await follow(context, daemon.stream("Halt", request));
        context.print({ halted: true }, () => "");
      });
    }),
  );
}
