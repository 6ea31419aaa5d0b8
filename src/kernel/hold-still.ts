// A cgroup whose processes stand still for a moment. A child of the daemon holds it, so that it never stays so.

import { spawn } from "node:child_process";
import { once } from "node:events";

import { HengeError } from "../errors.js";

import type { HoldStill } from "./port.js";

/** Longer than any snapshot of a healthy pool takes, shorter than the patience of who waits for an answer. */
const HOLD_MAX_MS = 10_000;

/** @param helper absolute path of henge-helper, which holds, and lets go when its standard input ends */
export function holdStillWith(helper: string): HoldStill {
  return async (directory) => {
    const child = spawn(helper, ["--hold", directory, String(HOLD_MAX_MS)], {
      env: {},
      cwd: "/",
      stdio: ["pipe", "pipe", "pipe"],
    });
    child.stdin.on("error", () => undefined); // EPIPE: its end tells.
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const ended = once(child, "close").then(
      ([code]) => code === 0,
      () => false,
    );
    const held = once(child.stdout, "data").then(() => true);
    if (!(await Promise.race([held, ended.then(() => false)])))
      throw new HengeError("DEADLINE", `cannot hold ${directory} still: ${said.trim()}`);
    return {
      release: () => {
        child.stdin.end();
        return ended;
      },
    };
  };
}
