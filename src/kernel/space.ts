// Asks a directory's file system how much room is left.

import { statfs } from "node:fs/promises";

import { describeErrno, errnoOf } from "../errors.js";
import { judgeSpace } from "./findings/space.js";
import type { Need } from "./findings/space.js";
import { unfit } from "./findings/verdict.js";
import type { Finding } from "./port.js";

/** @param hint what to do when it is short */
export async function findSpace(
  check: string,
  directory: string,
  need: Need,
  hint: string,
): Promise<Finding> {
  try {
    const { bavail, bsize, files, ffree } = await statfs(directory);
    // btrfs and ZFS make inodes as they need them; the former says that it has none at all.
    const inodes = files === 0 ? {} : { freeInodes: ffree };
    return judgeSpace(check, directory, { freeBytes: bavail * bsize, ...inodes }, need, hint);
  } catch (error) {
    const text = `cannot read ${directory}: ${describeErrno(errnoOf(error))}`;
    return unfit(check, text, "Make the directory, or give another with HENGE_ROOT.");
  }
}
