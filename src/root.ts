// Where one daemon keeps what it owns. HENGE_ROOT or --root moves all of it, so that two daemons never meet.

import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

import { HengeError, errnoOf } from "./errors.js";

export interface RootPaths {
  /** That holds everything; absent for the host's own. */
  readonly directory?: string;
  /** What outlives a reboot. */
  readonly state: string;
  /** What does not. */
  readonly run: string;
  /** The embedded pool's file, and where it is mounted. */
  readonly poolFile: string;
  readonly poolMount: string;
  readonly socket: string;
  /** Six hex digits that tell this root's cgroups and interfaces from another's; empty for the host's own. */
  readonly key: string;
}

// sun_path of unix(7) holds 108 bytes with the closing NUL.
const SOCKET_PATH_MAX_BYTES = 107;

/**
 * @param root directory that holds everything; undefined or empty for /var/lib/henge and /run/henge
 * @throws {HengeError} USAGE: the path is too long for a unix socket
 */
export function rootPaths(root: string | undefined): RootPaths {
  if (root === undefined || root === "") return pathsIn("/var/lib/henge", "/run/henge", "");
  const directory = realDirectory(resolve(root));
  const key = createHash("sha256").update(directory).digest("hex").slice(0, 6);
  const paths = { directory, ...pathsIn(join(directory, "lib"), join(directory, "run"), key) };
  requireSocketPath(paths.socket);
  return paths;
}

/** @throws {HengeError} USAGE: the path is too long for a unix socket */
export function requireSocketPath(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes <= SOCKET_PATH_MAX_BYTES) return;
  throw new HengeError(
    "USAGE",
    `cannot use the socket ${path}: its path has ${String(bytes)} bytes, ${String(SOCKET_PATH_MAX_BYTES)} are possible`,
    { hint: "choose a root directory with a shorter path" },
  );
}

function pathsIn(state: string, run: string, key: string): RootPaths {
  return {
    state,
    run,
    poolFile: join(state, "pool.img"),
    poolMount: join(run, "pool"),
    socket: join(run, "henged.sock"),
    key,
  };
}

/** One directory, one key: symlinks are followed as far as the path exists. */
function realDirectory(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
    return join(realDirectory(dirname(path)), basename(path));
  }
}
