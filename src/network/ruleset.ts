// The names and the nftables text of one daemon's network. Pure: it runs no tool.

import type { CellName, PublishSpec } from "../spec/index.js";

/** Tells one daemon from another on a host: empty, or six hex digits of its root. */
export type RootKey = string;

export function isRootKey(text: string): boolean {
  return /^([0-9a-f]{6})?$/.test(text);
}

/** `henge`, or `henge_<key>`. */
export function tableOf(rootKey: RootKey): string {
  return rootKey === "" ? "henge" : `henge_${rootKey}`;
}

/** True for the table of any daemon. */
export function isHengeTable(name: string): boolean {
  return /^henge(_[0-9a-f]{6})?$/.test(name);
}

/** What the host's ends of all veths of one daemon begin with; an index follows. Fits 15 characters. */
export function interfacePrefix(rootKey: RootKey): string {
  return `hg${rootKey}-`;
}

/** The alias of a veth's host end: the mark of a veth that is wholly set up, and whose it is. */
export function aliasOf(rootKey: RootKey, cell: CellName): string {
  return `henge:${rootKey}:${cell}`;
}

/** The cell of an alias; undefined when it is not one of this daemon's. */
export function cellOfAlias(rootKey: RootKey, alias: string | undefined): string | undefined {
  const mark = `henge:${rootKey}:`;
  return alias?.startsWith(mark) === true ? alias.slice(mark.length) : undefined;
}

export interface Published extends PublishSpec {
  readonly cell: string;
  readonly cellAddress: string;
}

/**
 * Makes the table or replaces its rules; what is published stays. Only replies of a connection that came through
 * a published port leave a cell, and nothing else enters one.
 */
export function tableText(rootKey: RootKey): string {
  const table = tableOf(rootKey);
  const veths = `"${interfacePrefix(rootKey)}*"`;
  return `add table inet ${table}
flush table inet ${table}
table inet ${table} {
  map published { type ipv4_addr . inet_service : ipv4_addr . inet_service; }
  # A cell speaks only from its own address, and never from or to 127.0.0.0/8.
  chain spoofed {
    type filter hook prerouting priority raw; policy accept;
    iifname ${veths} fib saddr . iif oif missing drop
    iifname ${veths} ip daddr 127.0.0.0/8 drop
  }
  # From other hosts. A neighbour can send packets for 127.0.0.1 here; those are never translated.
  chain arriving {
    type nat hook prerouting priority dstnat; policy accept;
    ip daddr != 127.0.0.0/8 dnat ip to ip daddr . tcp dport map @published
  }
  # From this host.
  chain leaving {
    type nat hook output priority -100; policy accept;
    dnat ip to ip daddr . tcp dport map @published
  }
  # A cell has no route but to the host's end of its veth, so that is where all its visitors come from.
  chain visiting {
    type nat hook postrouting priority srcnat; policy accept;
    oifname ${veths} ct status dnat masquerade
  }
  chain input {
    type filter hook input priority filter; policy accept;
    iifname ${veths} ct direction reply ct status dnat accept
    iifname ${veths} drop
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname ${veths} ct direction reply ct status dnat accept
    iifname ${veths} drop
    oifname ${veths} ct direction original ct status dnat accept
    oifname ${veths} drop
  }
  chain output {
    type filter hook output priority filter; policy accept;
    oifname ${veths} ct status dnat accept
    oifname ${veths} drop
  }
}
`;
}

/** One transaction's part: `removed` go, then `added` come. */
export function publishText(
  rootKey: RootKey,
  removed: readonly Published[],
  added: readonly Published[],
): string {
  const map = `inet ${tableOf(rootKey)} published`;
  return [
    ...removed.map((entry) => `delete element ${map} { ${keyOf(entry)} }\n`),
    ...added.map(
      (entry) =>
        `add element ${map} { ${keyOf(entry)} comment "${entry.cell}" : ${valueOf(entry)} }\n`,
    ),
  ].join("");
}

function keyOf(entry: PublishSpec): string {
  return `${entry.hostAddress} . ${String(entry.hostPort)}`;
}

function valueOf(entry: Published): string {
  return `${entry.cellAddress} . ${String(entry.cellPort)}`;
}
