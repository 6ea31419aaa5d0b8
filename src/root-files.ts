// The files of a root filesystem, wherever it is: in a directory, or still in its archive. Nothing follows a link here.

import { constants } from "node:fs";
import { lstat, open, readlink } from "node:fs/promises";
import { join } from "node:path";

import { KernelError, errnoOf } from "./errors.js";

export interface RootFile {
  readonly kind: "file" | "directory" | "link" | "other";
  /** Who may read, write and execute: 0..0o777. */
  readonly mode: number;
  /** Of a link. */
  readonly target?: string;
}

export interface RootFiles {
  /**
   * @param path absolute in the root, without links, `.` and `..`
   * @returns undefined when there is nothing
   * @throws {KernelError} it cannot be looked at
   */
  look(path: string): Promise<RootFile | undefined>;
  /**
   * At most `maxBytes` of the beginning of a file that `look` has found.
   * @throws {KernelError} it cannot be read
   */
  read(path: string, maxBytes: number): Promise<Buffer>;
}

const PERMISSIONS = 0o777;

/** @param root absolute path of the directory */
export function directoryFiles(root: string): RootFiles {
  return {
    async look(path) {
      try {
        const stats = await lstat(join(root, path));
        const mode = stats.mode & PERMISSIONS;
        if (stats.isSymbolicLink())
          return { kind: "link", mode, target: await readlink(join(root, path)) };
        if (stats.isDirectory()) return { kind: "directory", mode };
        return { kind: stats.isFile() ? "file" : "other", mode };
      } catch (error) {
        if (errnoOf(error) === "ENOENT") return undefined;
        throw new KernelError("stat", errnoOf(error), { cause: error, path });
      }
    },
    async read(path, maxBytes) {
      const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
      try {
        const file = await open(join(root, path), flags);
        try {
          const { buffer, bytesRead } = await file.read(Buffer.alloc(maxBytes), 0, maxBytes, 0);
          return buffer.subarray(0, bytesRead);
        } finally {
          await file.close();
        }
      } catch (error) {
        throw new KernelError("read", errnoOf(error), { cause: error, path });
      }
    },
  };
}
