// Freeze and thaw: a cell is held where it is, or goes on.

import { randomUUID } from "node:crypto";

import type { Command } from "commander";

import { parseCell } from "../arguments.js";
import { addVerb } from "../verb.js";
import type { Act } from "../verb.js";

const VERBS = {
  freeze: {
    rpc: "Freeze",
    state: "frozen",
    told: "is frozen",
    summary: "hold every process of a cell where it is",
  },
  thaw: {
    rpc: "Thaw",
    state: "running",
    told: "goes on",
    summary: "let a frozen cell go on",
  },
} as const;

export function addFreezeVerb(verb: keyof typeof VERBS): (program: Command, act: Act) => void {
  const { rpc, state, told, summary } = VERBS[verb];
  return (program, act) => {
    addVerb(program, `${verb} <cell>`, summary, `henge ${verb} redmine/sidekiq`).action(
      act((context, _options, name: string) => {
        const request = { cell: parseCell(name), requestId: randomUUID() };
        return context.withDaemon(async (daemon) => {
          await daemon.call(rpc, request);
          context.print({ cell: request.cell, state }, () => `${request.cell} ${told}\n`);
        });
      }),
    );
  };
}
