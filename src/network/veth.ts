// Makes, finds and removes veth pairs with ip(8). It knows addresses and aliases, no rules.

import { constants } from "node:fs";
import { open, stat, writeFile } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";

import type { Run } from "../command.js";
import { HengeError, KernelError, errnoOf } from "../errors.js";
import type { Pair } from "./address.js";
import { nothingWithoutTool, query } from "./query.js";

const IP = "/usr/sbin/ip";
const NSENTER = "/usr/bin/nsenter";
/** The cell's end. */
const INSIDE = "eth0";

/** One line of `ip -j -d addr show`; without -d the alias is left out. */
export interface Link {
  readonly ifindex: number;
  readonly ifname: string;
  readonly flags: readonly string[];
  readonly ifalias?: string;
  /** Of the other end, when that is in another namespace. */
  readonly link_index?: number;
  readonly addr_info: readonly {
    readonly family: string;
    readonly local?: string;
    readonly prefixlen?: number;
  }[];
}

/** A network namespace held open: it stays the same one even if its process ends and the pid is used again. */
export class Namespace {
  readonly #handle: FileHandle;
  constructor(handle: FileHandle) {
    this.#handle = handle;
  }
  get path(): string {
    return `/proc/${String(process.pid)}/fd/${String(this.#handle.fd)}`;
  }
  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/** @throws {HengeError} WRONG_STATE: no such process, or it shares the daemon's own network namespace */
export async function openNamespace(pid: number): Promise<Namespace> {
  const path = `/proc/${String(pid)}/ns/net`;
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDONLY);
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno !== "ENOENT" && errno !== "ESRCH")
      throw new KernelError("open", errno, { path, cause });
    throw new HengeError(
      "WRONG_STATE",
      `cannot reach the network of process ${String(pid)}: it is gone`,
      { cause },
    );
  }
  const [own, other] = await Promise.all([stat("/proc/self/ns/net"), handle.stat()]);
  if (own.ino !== other.ino || own.dev !== other.dev) return new Namespace(handle);
  await handle.close();
  throw new HengeError(
    "WRONG_STATE",
    `cannot attach process ${String(pid)}: it is in the host's own network`,
  );
}

/** The host's links whose name begins with `prefix`. */
export async function listVeths(run: Run, prefix: string): Promise<readonly Link[]> {
  const links = await listLinks(run).catch(nothingWithoutTool);
  return links.filter((link) => link.ifname.startsWith(prefix));
}

/** Every link of the host with its addresses. */
export async function listLinks(run: Run): Promise<readonly Link[]> {
  return (await query(run, [IP, "-j", "-d", "addr", "show"])) as readonly Link[];
}

/** Destinations of every IPv4 route of the host, its own addresses among them. */
export async function listRoutes(run: Run): Promise<readonly string[]> {
  const argv = [IP, "-j", "-4", "route", "show", "table", "all"] as const;
  const routes = (await query(run, argv)) as readonly { readonly dst: string }[];
  return routes.map((route) => route.dst);
}

/** Both ends with addresses and up; the alias last, so that a pair that has one is whole. */
export async function createVeth(
  run: Run,
  name: string,
  alias: string,
  pair: Pair,
  namespace: Namespace,
): Promise<void> {
  await batch(
    run,
    [IP],
    [
      `link add ${name} type veth peer name ${INSIDE} netns ${namespace.path}`,
      `link set dev ${name} addrgenmode none`,
      `addr add ${pair.hostAddress}/31 dev ${name}`,
      `link set dev ${name} up`,
    ],
  );
  // Of this veth only: connections to 127.0.0.1 may go through it, and its replies come back.
  await writeSysctl(`/proc/sys/net/ipv4/conf/${name}/route_localnet`, "1");
  await batch(run, within(namespace), [
    "link set dev lo up",
    `link set dev ${INSIDE} addrgenmode none`,
    `addr add ${pair.cellAddress}/31 dev ${INSIDE}`,
    `link set dev ${INSIDE} up`,
  ]);
  await run([IP, "link", "set", "dev", name, "alias", alias]);
}

/** True when the pair's other end is in the namespace, with its address and up. */
export async function isInside(
  run: Run,
  link: Link,
  pair: Pair,
  namespace: Namespace,
): Promise<boolean> {
  const inside = await findInside(run, namespace);
  return (
    inside?.link_index === link.ifindex &&
    link.link_index === inside.ifindex &&
    inside.flags.includes("UP") &&
    link.flags.includes("UP") &&
    inside.addr_info.some((address) => address.local === pair.cellAddress)
  );
}

/** Removes what a daemon that was killed left half made in the namespace. Idempotent. */
export async function clearInside(run: Run, namespace: Namespace): Promise<void> {
  if ((await findInside(run, namespace)) === undefined) return;
  await run(within(namespace, "link", "del", "dev", INSIDE));
}

/** Idempotent: a pair also goes by itself, when the namespace of its other end does. */
export async function deleteVeth(run: Run, name: string): Promise<void> {
  try {
    await run([IP, "link", "del", "dev", name]);
  } catch (error) {
    if ((await listVeths(run, name)).some((link) => link.ifname === name)) throw error;
  }
}

/**
 * Lets the host forward what comes out of the veth: needed for the replies to other hosts, so off while
 * nothing is published to them, whatever the host's own ip_forward says.
 */
export async function setForwarding(name: string, forwarding: boolean): Promise<void> {
  await writeSysctl(`/proc/sys/net/ipv4/conf/${name}/forwarding`, forwarding ? "1" : "0");
}

/** Several commands in one run of ip(8), which ends at the first that fails. */
async function batch(
  run: Run,
  ip: readonly [string, ...string[]],
  commands: readonly string[],
): Promise<void> {
  await run([...ip, "-batch", "-"], { input: `${commands.join("\n")}\n` });
}

async function findInside(run: Run, namespace: Namespace): Promise<Link | undefined> {
  const links = (await query(run, within(namespace, "-j", "addr", "show"))) as readonly Link[];
  return links.find((link) => link.ifname === INSIDE);
}

function within(
  namespace: Namespace,
  ...command: readonly string[]
): readonly [string, ...string[]] {
  return [NSENTER, `--net=${namespace.path}`, "--", IP, ...command];
}

async function writeSysctl(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: constants.O_WRONLY });
  } catch (error) {
    throw new KernelError(`write ${JSON.stringify(text)} to`, errnoOf(error), {
      path,
      cause: error,
    });
  }
}
