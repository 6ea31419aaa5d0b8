// The parent's side of rival.ts.

import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

import type { RivalReply, RivalRequest } from "./rival.js";

const RIVAL = fileURLToPath(new URL("rival.js", import.meta.url));

/** Owns the process that runs the other runtimes. */
export class Rivals {
  readonly #child: ChildProcess;

  /** `directory`: made by the caller, removed by the caller. */
  constructor(directory: string, cgroupMount: string) {
    const argv = ["--mount", "--propagation", "private", process.execPath, RIVAL];
    this.#child = spawn("unshare", [...argv, directory, cgroupMount], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      // Ctrl-C is the benchmark's: it has the containers deleted first.
      detached: true,
    });
  }

  /** Milliseconds from spawn to exit. */
  async run(runtime: string): Promise<number> {
    const { ms } = await this.#ask({ act: "run", runtime });
    return ms ?? Number.NaN;
  }

  async startConmons(count: number): Promise<readonly number[]> {
    const { pids } = await this.#ask({ act: "conmon", count });
    return pids ?? [];
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    await this.#ask({ act: "end" });
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.disconnect();
    await ended;
  }

  async #ask(request: RivalRequest): Promise<RivalReply> {
    const reply = await new Promise<RivalReply>((resolve, reject) => {
      const gone = (code: number | null): void => {
        reject(new Error(`cannot ${request.act}: the rivals' process ended with ${String(code)}`));
      };
      this.#child.once("exit", gone);
      this.#child.once("message", (message) => {
        this.#child.off("exit", gone);
        resolve(message as RivalReply);
      });
      this.#child.send(request);
    });
    if (reply.error !== undefined) throw new Error(reply.error);
    return reply;
  }
}
