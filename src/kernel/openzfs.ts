// Which OpenZFS this host has: the module from /sys, the tools from what they say.

import { readFile } from "node:fs/promises";

import type { Run } from "../command.js";
import { CommandError } from "../errors.js";
import type { OpenZfs } from "./port.js";

const DEADLINE_MS = 10_000;

export async function readOpenZfs(run: Run): Promise<OpenZfs> {
  const module = await readFile("/sys/module/zfs/version", "utf8").catch(() => undefined);
  const said = await run(["zfs", "version"], { timeoutMs: DEADLINE_MS }).catch(
    (error: unknown) => error,
  );
  // Without the module it fails, and its version cannot be had of it.
  const hasTools = !(said instanceof CommandError && said.exit === "ENOENT");
  const tools = typeof said === "string" ? parseTools(said) : undefined;
  return {
    hasTools,
    ...(module === undefined ? {} : { module: module.trim() }),
    ...(tools === undefined ? {} : { tools }),
  };
}

/** Output of `zfs version`: a line for the tools, one for the module. */
export function parseTools(text: string): string | undefined {
  return /^zfs-(\d\S*)$/m.exec(text)?.[1];
}
