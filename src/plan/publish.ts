// Published ports of an allocated cell: replaced as a whole when any of them changed.

import type { CellName, PublishSpec, Step } from "../spec/index.js";

import { formatList } from "./text.js";

export function planPublish(
  cell: CellName,
  wanted: readonly PublishSpec[],
  seen: readonly PublishSpec[],
): readonly Step[] {
  const [want, have] = [new Set(wanted.map(describePort)), new Set(seen.map(describePort))];
  const added = [...want].filter((port) => !have.has(port)).map((port) => `${port} added`);
  const removed = [...have].filter((port) => !want.has(port)).map((port) => `${port} removed`);
  const changes = [...added, ...removed];
  if (changes.length === 0) return [];
  return [{ kind: "publish", cell, ports: wanted, reason: formatList(changes) }];
}

/** As in a manifest: HOSTADDRESS:HOSTPORT:CELLPORT. */
export function describePort({ hostAddress, hostPort, cellPort }: PublishSpec): string {
  return `${hostAddress}:${String(hostPort)}:${String(cellPort)}`;
}
