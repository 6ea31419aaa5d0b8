// Reads and writes one daemon's nftables table with nft(8).

import type { Run } from "../command.js";
import { nothingWithoutTool, query } from "./query.js";
import { isHengeTable, tableOf } from "./ruleset.js";
import type { Listing, Published, RootKey } from "./ruleset.js";

const NFT = "/usr/sbin/nft";

interface Reply {
  readonly nftables: readonly Item[];
}

interface Item {
  readonly table?: { readonly family: string; readonly name: string };
  readonly map?: { readonly elem?: readonly Element[] };
  readonly chain?: { readonly name: string; readonly policy?: string };
  readonly rule?: { readonly chain: string; readonly comment?: string };
}

type Element = readonly [
  key: { readonly elem: { readonly val: Concat; readonly comment?: string } } | Concat,
  value: Concat,
];

interface Concat {
  readonly concat: readonly [string, number];
}

/** All of `text` or none of it. */
export async function applyRules(run: Run, text: string): Promise<void> {
  await run([NFT, "-f", "-"], { input: text });
}

/** Names of the tables of every daemon on this host. */
export async function listTables(run: Run): Promise<readonly string[]> {
  const items = await list(run, "tables").catch(nothingWithoutTool);
  return items
    .flatMap((item) => item.table ?? [])
    .filter((table) => table.family === "inet" && isHengeTable(table.name))
    .map((table) => table.name);
}

/**
 * What a table of any daemon publishes, nothing when there is no such table; `cell` is empty for an element
 * that names none.
 */
export async function readTable(run: Run, table: string): Promise<readonly Published[]> {
  if (!(await listTables(run)).includes(table)) return [];
  try {
    const items = await list(run, "map", "inet", table, "published");
    return items.flatMap((item) => item.map?.elem ?? []).map(publishedFromElement);
  } catch (error) {
    // Another daemon may have removed its table meanwhile.
    if ((await listTables(run)).includes(table)) throw error;
    return [];
  }
}

/** All of a daemon's table; undefined when there is none. */
export async function readListing(run: Run, rootKey: RootKey): Promise<Listing | undefined> {
  const table = tableOf(rootKey);
  if (!(await listTables(run)).includes(table)) return undefined;
  let items: readonly Item[];
  try {
    items = await list(run, "table", "inet", table);
  } catch (error) {
    // Whoever is taking rules away may have taken it meanwhile.
    if ((await listTables(run)).includes(table)) throw error;
    return undefined;
  }
  const rules = items.flatMap(({ rule }) => rule ?? []);
  return {
    chains: items
      .flatMap(({ chain }) => chain ?? [])
      .map(({ name, policy = "" }) => ({
        name,
        policy,
        marks: rules.filter(({ chain }) => chain === name).map(({ comment = "" }) => comment),
      })),
    published: items.flatMap(({ map }) => map?.elem ?? []).map(publishedFromElement),
  };
}

/** Removes the daemon's table with all that is in it. Idempotent. */
export async function deleteTable(run: Run, rootKey: RootKey): Promise<void> {
  const table = tableOf(rootKey);
  await applyRules(run, `add table inet ${table}\ndelete table inet ${table}\n`);
}

async function list(run: Run, ...what: readonly string[]): Promise<readonly Item[]> {
  return ((await query(run, [NFT, "-j", "list", ...what])) as Reply).nftables;
}

function publishedFromElement([key, value]: Element): Published {
  const [{ val, comment }] = "elem" in key ? [key.elem] : [{ val: key, comment: undefined }];
  const [hostAddress, hostPort] = val.concat;
  const [cellAddress, cellPort] = value.concat;
  return { cell: comment ?? "", hostAddress, hostPort, cellAddress, cellPort };
}
