// The lock on a root: one daemon at a time. flock(1) holds it in a child that ends with its standard input,
// so that the kernel lets it go when the daemon dies, however it dies, and no warden ever inherits it.

import { spawn } from "node:child_process";
import { constants } from "node:fs";
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

import { HengeError } from "../errors.js";
import { openOwn } from "./own-file.js";

const FLOCK = "/usr/bin/flock";
const CAT = "/usr/bin/cat";
const RETRY_MS = 50;
// A daemon killed a moment ago: its holder needs an instant to see the end of its input.
const PATIENCE_MS = 400;

export interface Lock {
  /** Called when the holder ends though it should not: the root is no longer this daemon's. */
  onLost(listener: () => void): void;
}

/**
 * @throws {HengeError} BUSY: another daemon has this root; its pid is in the message
 * @throws {HengeError} WRONG_STATE: what is in the lock's place is not a file that only root can write
 */
export async function takeLock(path: string): Promise<Lock> {
  // What flock(1) would open, whatever it is, has to be a file of root's.
  await (await openOwn(path, constants.O_RDWR | constants.O_CREAT)).close();
  const giveUpAt = performance.now() + PATIENCE_MS;
  for (;;) {
    const lock = await tryLock(path);
    if (lock !== undefined) {
      await writePid(`${path}.pid`);
      return lock;
    }
    if (performance.now() >= giveUpAt) throw await heldBy(path);
    await delay(RETRY_MS);
  }
}

async function writePid(path: string): Promise<void> {
  const file = await openOwn(path, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC);
  await file.writeFile(`${String(process.pid)}\n`).finally(() => file.close());
}

async function heldBy(path: string): Promise<HengeError> {
  const pid = (await readFile(`${path}.pid`, "utf8").catch(() => "unknown")).trim();
  return new HengeError("BUSY", `cannot start: another henged has this root already (pid ${pid})`, {
    hint: "use it, stop it first, or choose another root with HENGE_ROOT",
  });
}

/** Resolves once the holder has echoed a byte (locked) or has ended (held by another). */
function tryLock(path: string): Promise<Lock | undefined> {
  const holder = spawn(FLOCK, ["--nonblock", "--no-fork", path, CAT], {
    stdio: ["pipe", "pipe", "ignore"],
    env: {},
    cwd: "/",
    detached: true, // a Ctrl-C meant for the daemon must not release the lock before it has ended
  });
  holder.stdin.on("error", () => undefined); // EPIPE: the lock is taken, told by the exit below
  holder.stdin.write("\n");
  return new Promise((resolve, reject) => {
    const listeners: (() => void)[] = [];
    holder.once("error", reject);
    holder.once("exit", () => {
      resolve(undefined);
      for (const listener of listeners) listener();
    });
    holder.stdout.once("data", () => {
      holder.unref();
      resolve({ onLost: (listener) => listeners.push(listener) });
    });
  });
}
