// Decides whether a port may be published: nobody else's, on an address of this host, and reachable there.

import { readFile } from "node:fs/promises";
import { createServer } from "node:net";

import { HengeError, errnoOf } from "../errors.js";
import type { CellName, PublishSpec } from "../spec/index.js";
import { isLoopback } from "./address.js";
import type { Published } from "./ruleset.js";

/** @throws {HengeError} WRONG_STATE: another cell, also of another daemon, has the address and port */
export function refuseTaken(
  cell: CellName,
  ports: readonly PublishSpec[],
  others: readonly Published[],
): void {
  for (const port of ports) {
    const other = others.find((entry) => isSame(entry, port));
    if (other !== undefined)
      throw refusal(cell, port, `cell ${other.cell} has it`, "Publish another port.");
  }
}

/**
 * @param readAddresses of the host's links; asked for only where a port is for other hosts
 * @throws {HengeError} WRONG_STATE: the packets of other hosts that come to that address are not forwarded
 */
export async function refuseUnreachable(
  cell: CellName,
  ports: readonly PublishSpec[],
  readAddresses: () => Promise<ReadonlyMap<string, readonly string[]>>,
): Promise<void> {
  const reachable = ports.filter(({ hostAddress }) => !isLoopback(hostAddress));
  const links = reachable.length === 0 ? [] : [...(await readAddresses())];
  for (const port of reachable) {
    const [link] = links.find(([, addresses]) => addresses.includes(port.hostAddress)) ?? [];
    if (link === undefined) throw notOurs(cell, port);
    if (await isForwarding(link)) continue;
    throw refusal(
      cell,
      port,
      `the host does not forward what comes in on ${link}`,
      `Set sysctl net.ipv4.conf.${link}.forwarding=1 yourself, or publish on 127.0.0.1.`,
    );
  }
}

/** @throws {HengeError} WRONG_STATE: a process of the host listens there, which would never be reached again */
export async function refuseListening(
  cell: CellName,
  ports: readonly PublishSpec[],
): Promise<void> {
  for (const port of ports) {
    const errno = await tryListen(port);
    if (errno === "EADDRNOTAVAIL") throw notOurs(cell, port);
    if (errno === undefined) continue;
    throw refusal(
      cell,
      port,
      `a process of the host listens there (${errno})`,
      "Stop it, or publish another port.",
    );
  }
}

export function isSame(a: PublishSpec, b: PublishSpec): boolean {
  return a.hostAddress === b.hostAddress && a.hostPort === b.hostPort;
}

async function isForwarding(interfaceName: string): Promise<boolean> {
  try {
    return (
      (await readFile(`/proc/sys/net/ipv4/conf/${interfaceName}/forwarding`, "utf8")).trim() === "1"
    );
  } catch {
    return false;
  }
}

function tryListen(port: PublishSpec): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => {
      resolve(errnoOf(error));
    });
    server.listen({ host: port.hostAddress, port: port.hostPort, exclusive: true }, () => {
      server.close(() => {
        resolve(undefined);
      });
    });
  });
}

function notOurs(cell: CellName, port: PublishSpec): HengeError {
  return refusal(
    cell,
    port,
    "it is no address of this host",
    "Publish on 127.0.0.1 or an address of ip addr.",
  );
}

function refusal(cell: CellName, port: PublishSpec, why: string, hint: string): HengeError {
  const at = `${port.hostAddress}:${String(port.hostPort)}`;
  return new HengeError("WRONG_STATE", `cannot publish ${at} for cell ${cell}: ${why}`, { hint });
}
