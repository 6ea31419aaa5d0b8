// Hears of every change to the daemon's nftables table, whoever makes it. Nothing is polled: a child has the netlink
// socket that Node.js lacks.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 60_000;

/**
 * Calls `changed` after each transaction that touched the table, with the process that made it where that is known, and
 * when changes may have been missed.
 * @param lost the child has ended and will be started again
 * @param signal ends it
 */
export type Watch = (
  table: string,
  changed: (by?: string) => void,
  lost: (error: Error) => void,
  signal: AbortSignal,
) => void;

/** @param binary absolute path of henge-helper, which is the daemon's ear and ends with it */
export function watchWith(binary: string): Watch {
  return (table, changed, lost, signal) => {
    let waitMs = RETRY_MIN_MS;
    const start = (): void => {
      if (signal.aborted) return;
      const bornMs = performance.now();
      const child = spawn(binary, ["--rules", table], {
        env: {},
        cwd: "/",
        stdio: ["pipe", "pipe", "ignore"],
      });
      const end = (): void => {
        child.stdin.end();
      };
      signal.addEventListener("abort", end);
      child.stdin.on("error", () => undefined); // EPIPE: its end tells.
      createInterface(child.stdout).on("line", (line) => {
        changed(processOf(line));
      });
      let failure: Error | undefined;
      child.once("error", (error) => (failure = error));
      child.once("close", (code, killedBy) => {
        signal.removeEventListener("abort", end);
        if (signal.aborted) return;
        lost(failure ?? new Error(`it ended with ${String(code ?? killedBy)}`));
        if (performance.now() - bornMs > RETRY_MAX_MS) waitMs = RETRY_MIN_MS;
        setTimeout(start, waitMs).unref();
        waitMs = Math.min(2 * waitMs, RETRY_MAX_MS);
      });
    };
    start();
  };
}

/** Of the line `changed PID NAME`; «watching» says that changes were missed until then. */
function processOf(line: string): string | undefined {
  const match = /^changed (\d+) (\S+)$/.exec(line);
  return match === null ? undefined : `${match[2] ?? ""}[${match[1] ?? ""}]`;
}
