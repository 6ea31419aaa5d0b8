// Asks ip(8) and nft(8), which answer in JSON.

import type { Run } from "../command.js";
import { CommandError } from "../errors.js";

/**
 * The answer of one of the tools; the caller knows its shape from the manual.
 * @throws {CommandError} the tool failed, or its answer is not JSON
 */
export async function query(run: Run, argv: readonly [string, ...string[]]): Promise<unknown> {
  const text = await run(argv);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CommandError(argv, 0, `its answer is not JSON: ${text.slice(0, 200)}`, { cause });
  }
}

/** Nothing, where the tool is not installed: then it has made nothing either. */
export function nothingWithoutTool(error: unknown): readonly never[] {
  if (error instanceof CommandError && error.exit === "ENOENT") return [];
  throw error;
}
