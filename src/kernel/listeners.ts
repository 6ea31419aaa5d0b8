// Who listens on the host's TCP ports, from /proc: no tool is asked, and nothing is bound to find out.

import { readFile, readdir, readlink } from "node:fs/promises";

import type { Listener } from "./port.js";

const LISTEN = "0A";
const V4_MAPPED = "0000000000000000FFFF0000";

/** With their processes where they are one of `ports`: to find them, every process is looked at. */
export async function readListeners(ports: ReadonlySet<number>): Promise<readonly Listener[]> {
  const wanted = (await readAll()).filter(({ port }) => ports.has(port));
  if (wanted.length === 0) return [];
  const holders = await findHolders(new Set(wanted.map(({ inode }) => inode)));
  return wanted.map((listener) => {
    const process = holders.get(listener.inode);
    return process === undefined ? listener : { ...listener, process };
  });
}

/** On whatever IPv4 address. */
export async function readListeningPorts(): Promise<ReadonlySet<number>> {
  return new Set((await readAll()).map(({ port }) => port));
}

async function readAll(): Promise<readonly Listener[]> {
  const texts = await Promise.all(["tcp", "tcp6"].map((name) => readProc(`net/${name}`)));
  return texts.flatMap(parseListeners);
}

/** Text of /proc/net/tcp or tcp6; what listens on an IPv6 address alone is left out. @see proc_pid_net(5) */
export function parseListeners(text: string): readonly Listener[] {
  return text.split("\n").flatMap((line) => {
    const [, local = "", , state, , , , , , inode] = line.trim().split(/\s+/);
    const [hex = "", port = ""] = local.split(":");
    const address = parseAddress(hex);
    if (state !== LISTEN || address === undefined) return [];
    return [{ address, port: Number.parseInt(port, 16), inode: Number(inode) }];
  });
}

/** Words of the machine's byte order, which is little-endian wherever Henge runs. */
function parseAddress(hex: string): string | undefined {
  if (/^0{32}$/.test(hex)) return "0.0.0.0";
  const word = hex.length === 32 && hex.startsWith(V4_MAPPED) ? hex.slice(24) : hex;
  if (!/^[0-9A-F]{8}$/.test(word)) return undefined;
  return [6, 4, 2, 0].map((at) => String(Number.parseInt(word.slice(at, at + 2), 16))).join(".");
}

async function findHolders(
  inodes: ReadonlySet<number>,
): Promise<ReadonlyMap<number, NonNullable<Listener["process"]>>> {
  const holders = new Map<number, NonNullable<Listener["process"]>>();
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    for (const inode of await socketsOf(pid)) {
      if (!inodes.has(inode) || holders.has(inode)) continue;
      const name = (await readProc(`${pid}/comm`)).trim();
      holders.set(inode, { pid: Number(pid), name });
    }
  }
  return holders;
}

async function socketsOf(pid: string): Promise<readonly number[]> {
  const directory = `/proc/${pid}/fd`;
  const names = await readdir(directory).catch(() => []); // It has ended.
  const targets = await Promise.all(
    names.map((name) => readlink(`${directory}/${name}`).catch(() => "")),
  );
  return targets.flatMap((target) => {
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    return inode === undefined ? [] : [Number(inode)];
  });
}

async function readProc(name: string): Promise<string> {
  return readFile(`/proc/${name}`, "utf8").catch(() => "");
}
