// How much room is left in a directory's file system.

import { statfs } from "node:fs/promises";

import { KernelError, errnoOf } from "../errors.js";
import type { Room } from "./port.js";

/** @throws {KernelError} the directory cannot be read */
export async function readRoom(directory: string): Promise<Room> {
  try {
    const { bavail, bsize, files, ffree } = await statfs(directory);
    // btrfs and ZFS make inodes as they need them; the former says that it has none at all.
    return { freeBytes: bavail * bsize, ...(files === 0 ? {} : { freeInodes: ffree }) };
  } catch (error) {
    throw new KernelError("read", errnoOf(error), { path: directory, cause: error });
  }
}
