#!/usr/bin/env node
// The entry of `henge`: this process as the CLI's Io.

import { runCli } from "./program.js";

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // Whoever read it has gone, as in `henge logs -f … | head`.
  process.exit(error.code === "EPIPE" ? 0 : 70);
});

const { stdin, stdout, stderr, env } = process;
// Explicit, for a listener that waits on standard input would keep the process.
process.exit(
  await runCli(process.argv.slice(2), { stdin, stdout, stderr, env, cwd: process.cwd() }),
);
