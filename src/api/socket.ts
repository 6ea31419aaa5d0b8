// Binds a unix socket that nobody but its owner can ever open, whatever the umask, in place of a stale one; or takes the
// one the service manager holds, whose clients wait while no daemon runs.

import { once } from "node:events";
import { chmod, lstat, mkdir, rename, rm } from "node:fs/promises";
import type { Server } from "node:net";
import { dirname, join } from "node:path";

import { HengeError, errnoOf } from "../errors.js";
import { requireSocketPath } from "../root.js";

export type SocketSource =
  /** In a directory of mode 0700; the caller holds the root's lock, so a socket there is stale and replaced. */
  | { readonly path: string }
  /** A listening socket that was inherited: another's, never removed. */
  | { readonly fd: number };

/**
 * @returns what removes the socket, when it was made here
 * @throws {HengeError} USAGE, WRONG_STATE: see bindTo; WRONG_STATE: the descriptor is no listening unix socket
 */
export async function listenOn(server: Server, source: SocketSource): Promise<() => Promise<void>> {
  if ("fd" in source) {
    await takeOver(server, source.fd);
    return () => Promise.resolve();
  }
  await bindTo(server, source.path);
  return () => rm(source.path, { force: true });
}

async function takeOver(server: Server, fd: number): Promise<void> {
  try {
    server.listen({ fd });
    await once(server, "listening");
  } catch (error) {
    const message = `cannot listen on descriptor ${String(fd)}: it is no unix socket that listens`;
    throw new HengeError("WRONG_STATE", message, { cause: error });
  }
}

/**
 * The caller holds the lock of the daemon's root: a socket that lies at `path` is a dead daemon's.
 * @throws {HengeError} USAGE: the path is too long; WRONG_STATE: something else than a socket lies there
 */
async function bindTo(server: Server, path: string): Promise<void> {
  requireSocketPath(path);
  await refuseOther(path);
  // Born in a directory of its own with mode 0700, for until chmod its mode is what the umask left; then moved over
  // the stale one, so that there is a socket at every instant. The name is short: sun_path must hold it too.
  const unready = join(dirname(path), ".new");
  await rm(unready, { recursive: true, force: true });
  await mkdir(unready, { mode: 0o700 });
  const fresh = join(unready, "s");
  server.listen(fresh);
  await once(server, "listening");
  await chmod(fresh, 0o600);
  await rename(fresh, path);
  await rm(unready, { recursive: true, force: true });
}

async function refuseOther(path: string): Promise<void> {
  try {
    if ((await lstat(path)).isSocket()) return;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return;
    throw error;
  }
  throw new HengeError("WRONG_STATE", `cannot listen on ${path}: it is not a socket`, {
    hint: "remove it, or choose another root directory",
  });
}
