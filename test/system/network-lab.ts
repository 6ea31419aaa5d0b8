// What the network's system tests run on: namespaces with a process in them, servers and clients inside, and a
// neighbour of the host behind a veth of its own. Everything made here goes with `close`.

import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { Server } from "node:net";
import { fileURLToPath } from "node:url";

import { expect, vi } from "vitest";

import { runCommand } from "../../src/command.js";
import type { Run } from "../../src/command.js";
import { createNetwork } from "../../src/network/network.js";
import { watchWith } from "../../src/network/watch.js";
import type { NetworkPort } from "../../src/network/port.js";
import type { CellName, PublishSpec } from "../../src/spec/index.js";

export const HELPER = fileURLToPath(new URL("../../dist/henge-helper", import.meta.url));
const IP = "/usr/sbin/ip";
const NSENTER = "/usr/bin/nsenter";
/** For an answer that must come, on a busy machine. */
const PATIENCE_MS = 15_000;
/** For an answer that must not come: several retransmissions of a dropped packet. */
const KNOCK_MS = 600;

// For benchmarks (RFC 2544): no real neighbour has these. One /30 for each run, for several at a time.
const LINK = `198.18.${String(Math.floor(process.pid / 64) % 256)}`;
const FIRST = (process.pid % 64) * 4;
export const HOST_ADDRESS = `${LINK}.${String(FIRST + 1)}`;
export const NEIGHBOUR_ADDRESS = `${LINK}.${String(FIRST + 2)}`;

const NEIGHBOUR_PREFIX = `ht${String(process.pid)}-`;

const SERVER = `
  const servers = process.argv.slice(1).map((port) => new Promise((resolve) => {
    require("net").createServer((s) => s.end(s.remoteAddress)).listen(Number(port), "0.0.0.0", resolve);
  }));
  Promise.all(servers).then(() => console.log("listening"));`;
const CLIENT = `
  const s = require("net").connect({ host: process.argv[1], port: Number(process.argv[2]) });
  s.setTimeout(Number(process.argv[3]), () => { console.log("dropped"); process.exit(); });
  s.on("error", (e) => { console.log(e.code); process.exit(); });
  s.on("data", (d) => { console.log("answered " + d); process.exit(); });`;

export const SHOP = "shop" as CellName;
export const BLOG = "blog" as CellName;
/** Served in every cell of `cellWith`: one to publish, one to keep. */
export const CELL_PORT = 3000;
export const HIDDEN_PORT = 3001;

const [KEY = "", OTHER_KEY = ""] = [0, 1].map((n) => keyOf(process.pid * 2 + n));

/** Two daemons' networks on this host, with namespaces for their cells. */
export class Lab {
  readonly network = openNetwork();
  readonly other = createNetwork({ run: runCommand, rootKey: OTHER_KEY });
  readonly vethPrefix = `hg${KEY}-`;
  readonly table = `henge_${KEY}`;
  readonly #children: ChildProcess[] = [];
  #links = 0;

  /** A cell with its two servers; its namespace's process. */
  async cellWith(
    cell: CellName,
    ports: readonly PublishSpec[],
    network = this.network,
  ): Promise<number> {
    const pid = await this.namespace();
    await network.attach(cell, pid, ports);
    await this.serve(pid, CELL_PORT, HIDDEN_PORT);
    return pid;
  }

  /** Names of the veths of both daemons. */
  links(): readonly string[] {
    return linkNames().filter((name) => /^hg[0-9a-f]{6}-/.test(name) && isOurs(name.slice(2, 8)));
  }

  /** Names of the tables of both daemons. */
  tables(): readonly string[] {
    return tableNames().filter((name) => isOurs(name.replace(/^henge_/, "")));
  }

  /** A process in a network namespace of its own. */
  async namespace(): Promise<number> {
    const child = spawn("/usr/bin/unshare", ["--net", "--", "/bin/sleep", "600"], {
      stdio: "ignore",
    });
    this.#children.push(child);
    await once(child, "spawn");
    const pid = child.pid ?? 0;
    const own = readlinkSync("/proc/self/ns/net");
    await vi.waitFor(() => {
      expect(readlinkSync(`/proc/${String(pid)}/ns/net`)).not.toBe(own);
    });
    return pid;
  }

  /** A server on every address of the namespace; it answers with the address it was called from. */
  async serve(pid: number, ...ports: readonly number[]): Promise<void> {
    const argv = [...enter(pid), process.execPath, "-e", SERVER, ...ports.map(String)];
    const child = spawn(argv[0] ?? "", argv.slice(1), { stdio: ["ignore", "pipe", "inherit"] });
    this.#children.push(child);
    await once(child.stdout, "data");
  }

  /** Ends a namespace's process and so the namespace. */
  async end(pid: number): Promise<void> {
    const child = this.#children.find((candidate) => candidate.pid === pid);
    child?.kill("SIGKILL");
    if (child !== undefined) await once(child, "exit");
  }

  /** A neighbour on a link whose host end forwards or not, with the host as its router. */
  async neighbour(forwarding: boolean): Promise<number> {
    const pid = await this.namespace();
    this.#links += 1;
    const name = `${NEIGHBOUR_PREFIX}${String(this.#links)}`;
    execFileSync(IP, [
      "link",
      "add",
      name,
      "type",
      "veth",
      "peer",
      "name",
      "eth0",
      "netns",
      String(pid),
    ]);
    execFileSync(IP, ["addr", "add", `${HOST_ADDRESS}/30`, "dev", name]);
    execFileSync(IP, ["link", "set", "dev", name, "up"]);
    writeFileSync(`/proc/sys/net/ipv4/conf/${name}/forwarding`, forwarding ? "1" : "0");
    ip(pid, "link", "set", "dev", "lo", "up");
    ip(pid, "addr", "add", `${NEIGHBOUR_ADDRESS}/30`, "dev", "eth0");
    ip(pid, "link", "set", "dev", "eth0", "up");
    ip(pid, "route", "add", "default", "via", HOST_ADDRESS);
    return pid;
  }

  /** A server of the host, closed with everything else. */
  async listenOnHost(host: string): Promise<{ server: Server; port: number }> {
    const server = createServer((socket) => socket.end("host")).listen(0, host);
    await once(server, "listening");
    return { server, port: portOf(server) };
  }

  /** @throws something of the two daemons is left */
  async close(): Promise<void> {
    try {
      await this.network.sweep([]);
      await this.other.sweep([]);
      expect(this.links()).toEqual([]);
      expect(this.tables()).toEqual([]);
    } finally {
      await this.#endChildren();
    }
  }

  async #endChildren(): Promise<void> {
    const running = this.#children.filter(
      (child) => child.exitCode === null && child.signalCode === null,
    );
    const ended = running.map((child) => once(child, "exit"));
    for (const child of running) child.kill("SIGKILL");
    await Promise.all(ended);
    // Their namespaces take the links along; not at once.
    await vi.waitFor(() => {
      expect(linkNames().filter((name) => name.startsWith(NEIGHBOUR_PREFIX))).toEqual([]);
    }, 10_000);
  }
}

/** The first daemon's network, as that daemon or the next one has it. */
export function openNetwork(run: Run = runCommand): NetworkPort {
  return createNetwork({ run, rootKey: KEY, watch: watchWith(HELPER) });
}

/** ip(8) inside a namespace. */
export function ip(pid: number, ...argv: readonly string[]): string {
  return execFileSync(NSENTER, [...enter(pid).slice(1), IP, ...argv], { encoding: "utf8" });
}

/** nft(8) with commands of its own language, inside a namespace or on the host. */
export function nft(pid: number | "host", commands: string): string {
  const argv = [...enter(pid), "/usr/sbin/nft", "-f", "-"];
  return execFileSync(argv[0] ?? "", argv.slice(1), { encoding: "utf8", input: commands });
}

/** `answered ADDRESS` with the address the server was called from, or the errno of the connection. */
export function call(pid: number | "host", address: string, port: number): string {
  return connect(pid, address, port, PATIENCE_MS);
}

/** As `call`, but `dropped` when there is no answer at all, which is soon decided. */
export function knock(pid: number | "host", address: string, port: number): string {
  return connect(pid, address, port, KNOCK_MS);
}

/** Packets of each kind, in the words of nft(8), that come past the hook's filters while `act` runs. */
export function countArrivals(
  pid: number | "host",
  hook: "prerouting" | "input",
  kinds: readonly string[],
  act: () => void,
): readonly number[] {
  const table = `test_henge_${String(process.pid)}`;
  const rules = kinds.map((kind) => `${kind} counter`).join("; ");
  const chain = `chain seen { type filter hook ${hook} priority 10; ${rules}; }`;
  nft(pid, `table inet ${table} {\n${chain}\n}\n`);
  try {
    act();
    const text = nft(pid, `list table inet ${table}\n`);
    return [...text.matchAll(/packets (\d+)/g)].map((match) => Number(match[1]));
  } finally {
    nft(pid, `delete table inet ${table}\n`);
  }
}

function connect(pid: number | "host", address: string, port: number, patienceMs: number): string {
  const client = [process.execPath, "-e", CLIENT, address, String(port), String(patienceMs)];
  const argv = [...enter(pid), ...client];
  return execFileSync(argv[0] ?? "", argv.slice(1), { encoding: "utf8" }).trim();
}

function linkNames(): readonly string[] {
  const text = execFileSync(IP, ["-j", "link", "show"], { encoding: "utf8" });
  return (JSON.parse(text) as { ifname: string }[]).map((link) => link.ifname);
}

function tableNames(): readonly string[] {
  const text = execFileSync("/usr/sbin/nft", ["-j", "list", "tables"], { encoding: "utf8" });
  const reply = JSON.parse(text) as { nftables: { table?: { name: string } }[] };
  return reply.nftables.flatMap((item) => item.table?.name ?? []);
}

/** A port of the host that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server);
  server.close();
  await once(server, "close");
  return port;
}

export function local(hostPort: number, cellPort = CELL_PORT): PublishSpec {
  return { hostAddress: "127.0.0.1", hostPort, cellPort };
}

/** The cell's own address and the host's end of its veth. */
export function addressesOf(pid: number): { cell: string; host: string } {
  const shown = ip(pid, "-4", "addr", "show", "dev", "eth0");
  const [, start = "", last = ""] = /inet (\d+\.\d+\.\d+\.)(\d+)\/31/.exec(shown) ?? [];
  return { cell: `${start}${last}`, host: `${start}${String(Number(last) - 1)}` };
}

/** As a cell would that got hold of CAP_NET_ADMIN over its own network. */
export function giveRoute(pid: number): void {
  ip(pid, "route", "add", "default", "via", addressesOf(pid).host);
}

/** Makes the namespace put its packets for 127.0.0.1 on the wire, to `via`. */
export function sendLoopbackOut(pid: number, via: string, from: string): void {
  const command = "echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet";
  execFileSync(NSENTER, [...enter(pid).slice(1), "/bin/sh", "-c", command]);
  ip(pid, "route", "flush", "table", "local", "dev", "lo");
  ip(pid, "route", "add", "127.0.0.1/32", "via", via, "src", from);
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

function keyOf(number: number): string {
  return number.toString(16).padStart(6, "0").slice(-6);
}

function isOurs(key: string): boolean {
  return key === KEY || key === OTHER_KEY;
}

function enter(pid: number | "host"): readonly string[] {
  return pid === "host" ? [] : [NSENTER, `--net=/proc/${String(pid)}/ns/net`, "--"];
}
