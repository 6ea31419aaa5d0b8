// Which two addresses a cell's veth pair gets: a /31 of one private subnet. Pure: it asks no kernel.

import { createHash } from "node:crypto";

import { HengeError } from "../errors.js";
import type { CellName } from "../spec/index.js";

/** A block of IPv4 addresses, as numbers; `last` is in it. */
export interface Block {
  readonly first: number;
  readonly last: number;
}

export interface Pair {
  readonly index: number;
  /** The host's end of the veth. */
  readonly hostAddress: string;
  /** The cell's end. */
  readonly cellAddress: string;
}

/** `A.B.C.D` or `A.B.C.D/N` → its block; undefined for anything else, e.g. `default`. */
export function parseBlock(text: string): Block | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)(?:\/(\d+))?$/.exec(text);
  if (match === null) return undefined;
  const [a = 256, b = 256, c = 256, d = 256] = match.slice(1, 5).map(Number);
  const length = Number(match[5] ?? "32");
  if (Math.max(a, b, c, d) > 255 || length > 32) return undefined;
  const size = 2 ** (32 - length);
  const address = ((a * 256 + b) * 256 + c) * 256 + d;
  const first = address - (address % size);
  return { first, last: first + size - 1 };
}

export function isLoopback(address: string): boolean {
  return address.startsWith("127.");
}

/** The addresses of pair `index` of the subnet. */
export function pairAt(subnet: Block, index: number): Pair {
  const first = subnet.first + 2 * index;
  return { index, hostAddress: formatAddress(first), cellAddress: formatAddress(first + 1) };
}

/**
 * The first pair no block of `taken` meets, looked for from a place the cell's name gives: a cell mostly gets
 * the same address again, and two daemons mostly look in different places. Blocks wider than the subnet
 * (a default route, a VPN's 10.0.0.0/8) do not count: a /31 is the more specific route.
 * @throws {HengeError} OVER_CAPACITY: none is left
 */
export function choosePair(
  subnet: Block,
  rootKey: string,
  cell: CellName,
  taken: readonly Block[],
): Pair {
  const pairs = (subnet.last - subnet.first + 1) / 2;
  const inside = taken.filter((block) => block.first >= subnet.first && block.last <= subnet.last);
  const start = placeOf(rootKey, cell) % pairs;
  for (let step = 0; step < pairs; step += 1) {
    const index = (start + step) % pairs;
    const first = subnet.first + 2 * index;
    if (!inside.some((block) => block.first <= first + 1 && block.last >= first)) {
      return pairAt(subnet, index);
    }
  }
  const range = `${formatAddress(subnet.first)}-${formatAddress(subnet.last)}`;
  throw new HengeError(
    "OVER_CAPACITY",
    `cannot give cell ${cell} an address: none of ${range} is free`,
    {
      hint: "Give the daemon another private subnet for its cells.",
    },
  );
}

function placeOf(rootKey: string, cell: CellName): number {
  return createHash("sha256").update(`${rootKey}:${cell}`).digest().readUInt32BE(0);
}

function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => String(Math.floor(address / 2 ** shift) % 256)).join(".");
}
