// What is mounted at one path, from /proc/self/mountinfo.

import { readFile, realpath } from "node:fs/promises";

export interface Mount {
  readonly source: string;
  readonly type: string;
  /** Directory of the file system that is shown; `/` for all of it. */
  readonly root: string;
  /** The mount is, or its file system: the kernel makes one read-only that it cannot trust any more. */
  readonly isReadOnly: boolean;
}

/** The topmost mount at exactly `path`; undefined when nothing is mounted there, or there is no such path. */
export async function readMountAt(path: string): Promise<Mount | undefined> {
  // The kernel tells mount points without symbolic links.
  const real = await realpath(path).catch(() => undefined);
  return real === undefined
    ? undefined
    : parseMountAt(await readFile("/proc/self/mountinfo", "utf8"), real);
}

/** @see https://docs.kernel.org/filesystems/proc.html#proc-pid-mountinfo-information-about-mounts */
export function parseMountAt(text: string, path: string): Mount | undefined {
  for (const line of text.trimEnd().split("\n").reverse()) {
    const [mount = "", superblock = ""] = line.split(" - ", 2);
    const [, , , root = "", point = "", options = ""] = mount.split(" ");
    if (unescapePath(point) !== path) continue;
    const [type = "", source = "", superOptions = ""] = superblock.split(" ");
    const isReadOnly = [options, superOptions].some((list) => list.split(",").includes("ro"));
    return { type, source: unescapePath(source), root: unescapePath(root), isReadOnly };
  }
  return undefined;
}

function unescapePath(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(parseInt(octal, 8)),
  );
}
