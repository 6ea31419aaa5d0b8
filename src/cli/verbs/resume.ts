import { randomUUID } from "node:crypto";

import type { Command } from "commander";

import { addVerb } from "../verb.js";
import type { Act } from "../verb.js";

export function addResume(program: Command, act: Act): void {
  addVerb(
    program,
    "resume",
    "bring up again what halt has stopped; does not wait for it",
    "henge resume",
  ).action(
    act((context) => {
      const request = { requestId: randomUUID() };
      return context.withDaemon(async (daemon) => {
        await daemon.call("Resume", request);
        context.print({ halted: false }, () => "");
      });
    }),
  );
}
