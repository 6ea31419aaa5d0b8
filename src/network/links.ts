// What sysfs and procfs tell of the host's links and routes: no tool is run for it.

import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";

import { KernelError, errnoOf } from "../errors.js";

const NET = "/sys/class/net";
const ROUTES = "/proc/self/net/fib_trie";
/** IFF_UP, netdevice(7). */
const UP = 0x1;

export interface Link {
  readonly ifname: string;
  readonly ifindex: number;
  readonly ifalias: string;
  /** Of the other end, which is in another namespace. */
  readonly peerIndex: number;
  readonly isUp: boolean;
}

export async function listLinkNames(): Promise<readonly string[]> {
  try {
    return await readdir(NET);
  } catch (cause) {
    throw new KernelError("read", errnoOf(cause), { path: NET, cause });
  }
}

/** The host's links whose name begins with `prefix`. */
export async function listVeths(prefix: string): Promise<readonly Link[]> {
  const names = (await listLinkNames()).filter((name) => name.startsWith(prefix));
  const links = await Promise.all(names.map(readLink));
  return links.flatMap((link) => link ?? []);
}

/** Destinations of every IPv4 route of the host, its own addresses among them, as `A.B.C.D/N`. */
export async function listRoutes(): Promise<readonly string[]> {
  try {
    return parseRoutes(await readFile(ROUTES, "utf8"));
  } catch (cause) {
    throw new KernelError("read", errnoOf(cause), { path: ROUTES, cause });
  }
}

/** Below the line `|-- A.B.C.D` of an address there is a line `/N SCOPE TYPE` for each of its routes. */
export function parseRoutes(text: string): readonly string[] {
  let address = "";
  return text.split("\n").flatMap((line) => {
    const [, leaf] = /^\s*\|-- ([\d.]+)$/.exec(line) ?? [];
    if (leaf !== undefined) address = leaf;
    const [, length] = /^\s*\/(\d+) /.exec(line) ?? [];
    return length === undefined ? [] : [`${address}/${length}`];
  });
}

/** Undefined when it has gone meanwhile. */
async function readLink(ifname: string): Promise<Link | undefined> {
  const read = async (file: string): Promise<string> =>
    (await readFile(join(NET, ifname, file), "utf8")).trim();
  try {
    const [ifindex, peerIndex, flags, ifalias] = await Promise.all(
      ["ifindex", "iflink", "flags", "ifalias"].map(read),
    );
    return {
      ifname,
      ifindex: Number(ifindex),
      ifalias: ifalias ?? "",
      peerIndex: Number(peerIndex),
      isUp: (Number(flags) & UP) !== 0,
    };
  } catch (cause) {
    const errno = errnoOf(cause);
    // ENODEV and EINVAL: what sysfs says of a link that is being removed.
    if (["ENOENT", "ENODEV", "EINVAL"].includes(errno)) return undefined;
    throw new KernelError("read", errno, { path: join(NET, ifname), cause });
  }
}
