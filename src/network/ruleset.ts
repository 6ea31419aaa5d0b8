// The names and the nftables text of one daemon's network. Pure: it runs no tool.

import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";

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

/** True for the host's end of a veth of a daemon with another key. */
export function isForeignVeth(rootKey: RootKey, name: string): boolean {
  return /^hg([0-9a-f]{6})?-\d+$/.test(name) && !name.startsWith(interfacePrefix(rootKey));
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

interface Chain {
  readonly name: string;
  readonly hook: string;
  readonly rules: readonly string[];
}

/** Only replies of a connection that came through a published port leave a cell, and nothing else enters one. */
function chainsOf(rootKey: RootKey): readonly Chain[] {
  const veths = `"${interfacePrefix(rootKey)}*"`;
  return [
    // A cell speaks only from its own address, and never from or to 127.0.0.0/8.
    {
      name: "spoofed",
      hook: "type filter hook prerouting priority raw",
      rules: [
        `iifname ${veths} fib saddr . iif oif missing drop`,
        `iifname ${veths} ip daddr 127.0.0.0/8 drop`,
      ],
    },
    // From other hosts. A neighbour can send packets for 127.0.0.1 here; those are never translated.
    {
      name: "arriving",
      hook: "type nat hook prerouting priority dstnat",
      rules: ["ip daddr != 127.0.0.0/8 dnat ip to ip daddr . tcp dport map @published"],
    },
    // From this host.
    {
      name: "leaving",
      hook: "type nat hook output priority -100",
      rules: ["dnat ip to ip daddr . tcp dport map @published"],
    },
    // A cell has no route but to the host's end of its veth, so that is where all its visitors come from.
    {
      name: "visiting",
      hook: "type nat hook postrouting priority srcnat",
      rules: [`oifname ${veths} ct status dnat masquerade`],
    },
    {
      name: "input",
      hook: "type filter hook input priority filter",
      rules: [`iifname ${veths} ct direction reply ct status dnat accept`, `iifname ${veths} drop`],
    },
    {
      name: "forward",
      hook: "type filter hook forward priority filter",
      rules: [
        `iifname ${veths} ct direction reply ct status dnat accept`,
        `iifname ${veths} drop`,
        `oifname ${veths} ct direction original ct status dnat accept`,
        `oifname ${veths} drop`,
      ],
    },
    {
      name: "output",
      hook: "type filter hook output priority filter",
      rules: [`oifname ${veths} ct status dnat accept`, `oifname ${veths} drop`],
    },
  ];
}

/** Makes the table or replaces its rules; what is published stays. */
export function tableText(rootKey: RootKey): string {
  const table = tableOf(rootKey);
  return `add table inet ${table}
flush table inet ${table}
table inet ${table} {
  map published { type ipv4_addr . inet_service : ipv4_addr . inet_service; }
${chainsOf(rootKey).map(chainText).join("")}}
`;
}

/** The whole table anew, in one transaction: nothing that was in it stays. */
export function restoreText(rootKey: RootKey, published: readonly Published[]): string {
  const table = tableOf(rootKey);
  return [
    `add table inet ${table}\n`,
    `delete table inet ${table}\n`,
    tableText(rootKey),
    publishText(rootKey, [], published),
  ].join("");
}

/** What a listing of the table shows of it. */
export interface Listing {
  readonly chains: readonly {
    readonly name: string;
    readonly policy: string;
    /** The comment of each of its rules. */
    readonly marks: readonly string[];
  }[];
  readonly published: readonly Published[];
}

/** True when the table has these ports, and every rule in its place and no other. */
export function isWhole(
  rootKey: RootKey,
  listing: Listing,
  published: readonly Published[],
): boolean {
  const wanted = chainsOf(rootKey).map(({ name, rules }) => ({
    name,
    policy: "accept",
    marks: rules.map(markOf),
  }));
  return isSameSet(listing.chains, wanted) && isSameSet(listing.published, published);
}

function chainText({ name, hook, rules }: Chain): string {
  const lines = rules.map((rule) => `    ${rule} comment "${markOf(rule)}"\n`);
  return `  chain ${name} {\n    ${hook}; policy accept;\n${lines.join("")}  }\n`;
}

/** A rule bears a hash of its text: how nft(8) prints the rest of it differs from version to version. */
function markOf(rule: string): string {
  return createHash("sha256").update(rule).digest("hex").slice(0, 8);
}

function isSameSet<T extends object>(some: readonly T[], others: readonly T[]): boolean {
  return isDeepStrictEqual(inOrder(some), inOrder(others));
}

function inOrder(things: readonly object[]): readonly string[] {
  return things.map((thing) => JSON.stringify(Object.entries(thing).sort())).sort();
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
