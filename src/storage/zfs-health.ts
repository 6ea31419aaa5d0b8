// How a ZFS pool is: its state, its devices, its last scrub, how full it is. From zpool(8)'s text: OpenZFS has JSON
// only since 2.3.

import { HengeError } from "../errors.js";
import type { Run } from "../command.js";
import type { Scrub, ZfsDevice, ZfsHealth } from "../spec/index.js";

import { parsePoolRow } from "./zfs-parse.js";

const DEADLINE_MS = 10_000;
const CLEAN = "No known data errors";
const WELL = new Set(["ONLINE", "AVAIL", "INUSE"]);

/** @throws {HengeError} WRONG_STATE: there is no such pool · DEADLINE: ZFS does not answer */
export async function readZfsHealth(run: Run, pool: string): Promise<ZfsHealth> {
  const options = { timeoutMs: DEADLINE_MS };
  const list = await run(["zpool", "list", "-Hp", "-o", "name,health,capacity"], options);
  const row = parsePoolRow(list, pool);
  if (row === undefined)
    throw new HengeError("WRONG_STATE", `cannot use the ZFS pool ${pool}: it is not imported`, {
      hint: `zpool import ${pool}`,
    });
  const status = parsePoolStatus(await run(["zpool", "status", "-p", pool], options));
  return { driver: "zfs", pool, ...row, ...status };
}

/** Output of `zpool status -p POOL`, its times in UTC. */
export function parsePoolStatus(
  text: string,
): Pick<ZfsHealth, "scrub" | "devices"> & { readonly dataErrors?: string } {
  const errors = /^errors: (.*)$/m.exec(text)?.[1];
  return {
    scrub: parseScan(/^ *scan: (.*)$/m.exec(text)?.[1]),
    devices: parseDevices(text).filter(({ state, errors: count }) => count > 0 || !WELL.has(state)),
    ...(errors === undefined || errors === CLEAN ? {} : { dataErrors: errors }),
  };
}

function parseScan(scan: string | undefined): Scrub {
  if (scan === undefined || scan === "none requested") return { kind: "never" };
  if (scan.startsWith("scrub in progress")) return { kind: "running" };
  const ended = /^scrub repaired .* on (.+)$/.exec(scan)?.[1];
  const endedMs = Date.parse(`${ended ?? ""} UTC`);
  return Number.isNaN(endedMs) ? { kind: "unknown" } : { kind: "done", endedMs };
}

const DEVICE = /^\t( *)(\S+) +([A-Z]+) +(\d+) +(\d+) +(\d+)/gm;

/** The leaves of the tree: what is wrong with one is told again by all above it. */
function parseDevices(text: string): readonly ZfsDevice[] {
  const rows = [...text.matchAll(DEVICE)].map(
    ([, indent = "", name = "", state = "", ...counts]) => ({
      depth: indent.length,
      device: { name, state, errors: counts.slice(0, 3).reduce((sum, n) => sum + Number(n), 0) },
    }),
  );
  return rows
    .filter(({ depth }, index) => (rows[index + 1]?.depth ?? 0) <= depth)
    .map(({ device }) => device);
}
