// Judges whether what manifests publish, and what an ingress will want, is free on the host. Pure.

import type { Listener } from "../../kernel/port.js";
import type { Finding, PublishedPort } from "../port.js";
import { degraded, ok } from "./verdict.js";

export const INGRESS_PORTS = [80, 443];
const EVERYWHERE = "0.0.0.0";

export function judgePorts(
  published: readonly PublishedPort[],
  listeners: readonly Listener[],
): readonly Finding[] {
  const clashes = published.flatMap((port) => {
    const listener = findListener(listeners, port.hostAddress, port.hostPort);
    return listener === undefined ? [] : [describeClash(port, listener)];
  });
  const free = published.length - clashes.length;
  return [
    ...(published.length === 0 ? [ok("ports", "none is published")] : []),
    ...(free > 0 ? [ok("ports", `${String(free)} published, nobody else listens there`)] : []),
    ...clashes,
    judgeIngress(listeners),
  ];
}

/** A held port is a clash too: Henge's rules take the connections, and the process waits for them in vain. */
function describeClash(port: PublishedPort, listener: Listener): Finding {
  const at = `${port.hostAddress}:${String(port.hostPort)}`;
  const who = holderOf(listener);
  const text = port.isHeld
    ? `${at} leads to ${port.cell}, and ${who} listens there in vain`
    : `${at} of ${port.cell} is taken: ${who} listens there`;
  return degraded(`port ${at}`, text, `Stop ${who}, or publish another port.`);
}

/** Says who has them; whether that is right is not known. */
function judgeIngress(listeners: readonly Listener[]): Finding {
  const texts = INGRESS_PORTS.map((port) => {
    const listener = findListener(listeners, EVERYWHERE, port);
    return `${String(port)}: ${listener === undefined ? "free" : holderOf(listener)}`;
  });
  return ok("ports of an ingress", texts.join(", "));
}

function findListener(
  listeners: readonly Listener[],
  address: string,
  port: number,
): Listener | undefined {
  return listeners.find(
    (listener) =>
      listener.port === port &&
      (listener.address === address || [listener.address, address].includes(EVERYWHERE)),
  );
}

function holderOf({ process, inode }: Listener): string {
  if (process === undefined) return `a process unknown (socket ${String(inode)})`;
  return `${process.name} (pid ${String(process.pid)})`;
}
