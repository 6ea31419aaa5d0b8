// What `up` and `upgrade` have in common: a manifest is sent, its steps are shown, and then what is there.

import { randomUUID } from "node:crypto";

import { cellsTable, stepToJson } from "./cells.js";
import type { Context } from "./context.js";
import { withManifest } from "./manifest-file.js";
import { follow } from "./progress.js";

export interface ApplyOptions {
  readonly allowMissingControllers?: boolean;
}

export function applyManifest(
  context: Context,
  rpc: "Apply" | "Upgrade",
  options: ApplyOptions,
  file: string,
): Promise<void> {
  return withManifest(file, context.io.cwd, (manifest) =>
    context.withDaemon(async (daemon) => {
      const allowMissingControllers = options.allowMissingControllers ?? false;
      const request = { manifest, allowMissingControllers, requestId: randomUUID() };
      const steps = await follow(context, daemon.stream(rpc, request));
      const { cells } = await daemon.call("List", {});
      context.print({ steps: steps.map(stepToJson) }, () => `\n${cellsTable(cells, Date.now())}`);
    }),
  );
}
