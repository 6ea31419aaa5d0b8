import { randomUUID } from "node:crypto";

import type { Command } from "commander";

import { parseCell, usage } from "../arguments.js";
import { stepToJson } from "../cells.js";
import { confirm } from "../confirm.js";
import type { Io } from "../io.js";
import { addChangeOptions, change } from "../operation.js";
import type { ChangeOptions } from "../operation.js";
import { addVerb } from "../verb.js";
import type { Act } from "../verb.js";

interface DownOptions extends ChangeOptions {
  readonly destroyData?: boolean;
  readonly yesDestroy?: string;
}

export function addDown(program: Command, act: Act): void {
  addChangeOptions(
    addVerb(
      program,
      "down <name>",
      "stop and free a monolith; its volumes stay",
      "henge down redmine",
    ),
  )
    .option("--destroy-data", "destroy its volumes too, after its name was typed")
    .option("--yes-destroy <name>", "the name, typed beforehand")
    .action(
      act(async (context, options: DownOptions, name: string) => {
        const destroyData = options.destroyData ?? false;
        const request = { cell: parseCell(name), destroyData, requestId: randomUUID() };
        await confirmDown(name, options, context.io);
        const { steps, operation } = await change(context, "Free", request, options);
        context.print({ steps: steps.map(stepToJson), operation }, () => "");
      }),
    );
}

/** @throws {HengeError} USAGE: the data is to be destroyed and its name was not said */
async function confirmDown(name: string, options: DownOptions, io: Io): Promise<void> {
  if (options.destroyData !== true) {
    if (options.yesDestroy === undefined) return;
    throw usage("cannot use --yes-destroy without --destroy-data");
  }
  await confirm(
    {
      act: `destroy the data of ${name}`,
      loss: `This destroys the volumes of ${name}, their snapshots and all data in them.`,
      names: [name],
      option: "--yes-destroy",
      given: options.yesDestroy,
    },
    io,
  );
}
