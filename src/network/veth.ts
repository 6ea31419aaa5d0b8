// Makes, finds and removes veth pairs with ip(8). It knows addresses and aliases, no rules.

import { constants } from "node:fs";
import { open, stat, writeFile } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";

import type { Run } from "../command.js";
import { HengeError, KernelError, errnoOf } from "../errors.js";
import type { Pair } from "./address.js";
import { listVeths } from "./links.js";
import type { Link } from "./links.js";
import { query } from "./query.js";

const IP = "/usr/sbin/ip";
const NSENTER = "/usr/bin/nsenter";
/** The cell's end. */
const INSIDE = "eth0";

/** One line of `ip -j addr show`. */
interface ShownLink {
  readonly ifindex: number;
  readonly ifname: string;
  readonly flags: readonly string[];
  /** Of the other end, when that is in another namespace. */
  readonly link_index?: number;
  readonly addr_info: readonly { readonly local?: string }[];
}

/** A network namespace held open: it stays the same one even if its process ends and the pid is used again. */
export class Namespace {
  /** No other has it while this one lives. */
  readonly id: string;
  readonly #handle: FileHandle;
  constructor(handle: FileHandle, id: string) {
    this.#handle = handle;
    this.id = id;
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
  if (own.ino !== other.ino || own.dev !== other.dev)
    return new Namespace(handle, `${String(other.dev)}:${String(other.ino)}`);
  await handle.close();
  throw new HengeError(
    "WRONG_STATE",
    `cannot attach process ${String(pid)}: it is in the host's own network`,
  );
}

/** Of every link of the host that has addresses, those. */
export async function listAddresses(run: Run): Promise<ReadonlyMap<string, readonly string[]>> {
  const links = (await query(run, [IP, "-j", "addr", "show"])) as readonly ShownLink[];
  return new Map(
    links.map(({ ifname, addr_info }) => [ifname, addr_info.flatMap(({ local }) => local ?? [])]),
  );
}

/**
 * Both ends with addresses and up; the alias last, so that a pair that has one is whole. The namespace must be new, or
 * its former pair is removed.
 */
export async function createVeth(
  run: Run,
  name: string,
  alias: string,
  pair: Pair,
  namespace: Namespace,
): Promise<void> {
  const host = `/proc/${String(process.pid)}/ns/net`;
  const inside = (): Promise<void> =>
    batch(run, within(namespace), [
      `link add ${INSIDE} type veth peer name ${name} netns ${host}`,
      "link set dev lo up",
      `link set dev ${INSIDE} addrgenmode none`,
      `addr add ${pair.cellAddress}/31 dev ${INSIDE}`,
      `link set dev ${INSIDE} up`,
    ]);
  try {
    await inside();
  } catch (error) {
    // What a daemon that was killed left half made there.
    if (!(await clearInside(run, namespace))) throw error;
    await inside();
  }
  // Of this veth only: connections to 127.0.0.1 may go through it, and its replies come back.
  await writeSysctl(`/proc/sys/net/ipv4/conf/${name}/route_localnet`, "1");
  await batch(
    run,
    [IP],
    [
      `link set dev ${name} addrgenmode none`,
      `addr add ${pair.hostAddress}/31 dev ${name}`,
      `link set dev ${name} up`,
      `link set dev ${name} alias ${alias}`,
    ],
  );
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
    link.peerIndex === inside.ifindex &&
    inside.flags.includes("UP") &&
    link.isUp &&
    inside.addr_info.some((address) => address.local === pair.cellAddress)
  );
}

/** False when there is nothing to remove. */
async function clearInside(run: Run, namespace: Namespace): Promise<boolean> {
  if ((await findInside(run, namespace)) === undefined) return false;
  await run(within(namespace, "link", "del", "dev", INSIDE));
  return true;
}

/** Idempotent: a pair also goes by itself, when the namespace of its other end does. */
export async function deleteVeth(run: Run, name: string): Promise<void> {
  try {
    await run([IP, "link", "del", "dev", name]);
  } catch (error) {
    if ((await listVeths(name)).some((link) => link.ifname === name)) throw error;
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

async function findInside(run: Run, namespace: Namespace): Promise<ShownLink | undefined> {
  const argv = within(namespace, "-j", "addr", "show");
  const links = (await query(run, argv)) as readonly ShownLink[];
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
