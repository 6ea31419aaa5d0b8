// Runs one of the host's tools (btrfs, nft, ip, tar …): never a shell, an environment of its own, always a deadline.

import { CommandError } from "./errors.js";
import { ToolProcess, reasonOf, withTools } from "./tool-process.js";
import type { Argv } from "./tool-process.js";

export { TOOL_ENVIRONMENT } from "./tool-process.js";

export interface RunOptions {
  /** Written to its standard input. */
  readonly input?: string;
  /** Default 30,000 ms. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Runs argv and returns its standard output. When the signal aborts it is killed; either way it has ended when this
 * settles, and holds nothing any more.
 * @throws {CommandError} it ended with another status than 0, or could not be run
 * @throws {HengeError} DEADLINE: it did not end in time and was killed
 * @throws the signal's reason
 */
export type Run = (argv: Argv, options?: RunOptions) => Promise<string>;

const TIMEOUT_MS = 30_000;
const OUTPUT_MAX_BYTES = 16 * 1024 * 1024;

export const runCommand: Run = async (
  argv,
  { input = "", timeoutMs = TIMEOUT_MS, signal } = {},
) => {
  if (signal?.aborted === true) throw reasonOf(signal);
  const tool = new ToolProcess(argv);
  return await withTools([tool], { timeoutMs, overdue: "no end", signal }, async () => {
    tool.stdin.end(input);
    const output = await outputOf(tool);
    const failure = await tool.ended;
    if (failure !== undefined) throw failure;
    return output;
  });
};

async function outputOf({ argv, stdout }: ToolProcess): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stdout as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > OUTPUT_MAX_BYTES) throw new CommandError(argv, "more output than expected", "");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
