// What `up` and `upgrade` have in common: a manifest is sent, its steps are shown, and then what is there.

import { randomUUID } from "node:crypto";

import type { Command } from "commander";

import { cellsTable, stepToJson } from "./cells.js";
import type { Context } from "./context.js";
import { withManifest } from "./manifest-file.js";
import { addChangeOptions, change } from "./operation.js";
import type { ChangeOptions } from "./operation.js";

interface ApplyOptions extends ChangeOptions {
  readonly allowMissingControllers?: boolean;
}

export function addApplyOptions(command: Command): Command {
  return addChangeOptions(
    command.option("--allow-missing-controllers", "go without limits this host cannot set"),
  );
}

export function applyManifest(
  context: Context,
  rpc: "Apply" | "Upgrade",
  options: ApplyOptions,
  file: string,
): Promise<void> {
  return withManifest(file, context.io.cwd, async (manifest) => {
    const allowMissingControllers = options.allowMissingControllers ?? false;
    const request = { manifest, allowMissingControllers, requestId: randomUUID() };
    const { steps, operation, isLeft } = await change(context, rpc, request, options);
    const { cells } = await context.withDaemon((daemon) => daemon.call("List", {}));
    context.print({ steps: steps.map(stepToJson), operation }, () =>
      isLeft ? "" : `\n${cellsTable(cells, Date.now())}`,
    );
  });
}
