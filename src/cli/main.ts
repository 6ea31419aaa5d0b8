#!/usr/bin/env node
// The entry of `henge`: this process as the CLI's Io.

import { outputFailure } from "./failure.js";
import { runCli } from "./program.js";

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // Whoever read it has gone, as in `henge logs -f … | head`.
  if (error.code === "EPIPE") process.exit(0);
  const { exit, text } = outputFailure(error);
  process.stderr.write(text, () => process.exit(exit));
});
// Nobody hears what went wrong; the exit code still says it.
process.stderr.on("error", () => undefined);

const { stdin, stdout, stderr, env } = process;
const code = await runCli(process.argv.slice(2), {
  stdin,
  stdout,
  stderr,
  env,
  cwd: process.cwd(),
  onInterrupt(listener) {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, listener);
    return () => {
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, listener);
    };
  },
});
// A pipe takes 64 KiB at once (pipe(7)); what its reader has not made room for yet would be lost with the process.
await Promise.all([stdout, stderr].map(written));
// Explicit, for a listener that waits on standard input would keep the process.
process.exit(code);

async function written(stream: NodeJS.WriteStream): Promise<void> {
  await new Promise((resolve) => stream.write("", resolve));
}
