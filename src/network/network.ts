// The network of root cells that have one of their own: a veth pair, and the ports published through it.
// Nothing is stored: a veth's alias and the comments in the nftables table say whose they are.

import type { Run } from "../command.js";
import { HengeError } from "../errors.js";
import type { CellName, PublishSpec } from "../spec/index.js";
import { createMutex } from "../mutex.js";
import { choosePair, isLoopback, pairAt, parseBlock } from "./address.js";
import type { Block, Pair } from "./address.js";
import { isSame, refuseListening, refuseTaken, refuseUnreachable } from "./admission.js";
import { guardRules } from "./guard.js";
import { applyRules, deleteTable, listTables, readListing, readTable } from "./nftables.js";
import type { NetworkPort } from "./port.js";
import {
  aliasOf,
  cellOfAlias,
  interfacePrefix,
  isRootKey,
  isWhole,
  publishText,
  restoreText,
  tableOf,
  tableText,
} from "./ruleset.js";
import type { Published, RootKey } from "./ruleset.js";
import {
  clearInside,
  createVeth,
  deleteVeth,
  isInside,
  listLinks,
  listRoutes,
  listVeths,
  openNamespace,
  setForwarding,
} from "./veth.js";
import type { Link, Namespace } from "./veth.js";
import type { Watch } from "./watch.js";

const DEFAULT_SUBNET = "10.83.0.0/16";

export interface NetworkOptions {
  readonly run: Run;
  /** Tells this daemon from others on the host: empty, or six hex digits. */
  readonly rootKey: RootKey;
  /** IPv4 subnet the cells' addresses are taken from. Default 10.83.0.0/16. */
  readonly subnet?: string;
  /** Without it, `guard` looks at the rules once. */
  readonly watch?: Watch;
  /** An error nobody waits for. */
  readonly warn?: (text: string, error: unknown) => void;
}

/** The port over ip(8), nft(8) and nsenter(1), one change at a time. */
export function createNetwork(options: NetworkOptions): NetworkPort {
  const subnet = parseBlock(options.subnet ?? DEFAULT_SUBNET);
  if (subnet === undefined || subnet.last === subnet.first) {
    throw new HengeError("USAGE", `cannot use ${options.subnet ?? ""} as the cells' subnet`);
  }
  if (!isRootKey(options.rootKey))
    throw new HengeError("USAGE", `cannot use root key ${options.rootKey}`);
  return new Network(options, subnet);
}

class Network implements NetworkPort {
  readonly #run: Run;
  readonly #rootKey: RootKey;
  readonly #subnet: Block;
  readonly #watch: Watch;
  readonly #warn: (text: string, error: unknown) => void;
  /** What each attached cell publishes: what is put back when the rules are gone. */
  readonly #published = new Map<string, readonly Published[]>();
  readonly #mutex = createMutex();
  constructor(
    {
      run,
      rootKey,
      watch = (_, changed) => {
        changed();
      },
      warn = () => undefined,
    }: NetworkOptions,
    subnet: Block,
  ) {
    this.#run = run;
    this.#rootKey = rootKey;
    this.#subnet = subnet;
    this.#watch = watch;
    this.#warn = warn;
  }

  attach(cell: CellName, initPid: number, ports: readonly PublishSpec[]): Promise<void> {
    return this.#mutex.run(async () => {
      const namespace = await openNamespace(initPid);
      try {
        await this.#admit(cell, ports);
        // Before the veth: there is no moment without the rules.
        await applyRules(this.#run, tableText(this.#rootKey));
        await this.#replace(cell, await this.#ensureVeth(cell, namespace), ports);
      } finally {
        await namespace.close();
      }
    });
  }

  publish(cell: CellName, ports: readonly PublishSpec[]): Promise<void> {
    return this.#mutex.run(async () => {
      const link = await this.#findVeth(cell);
      if (link === undefined) {
        throw new HengeError(
          "WRONG_STATE",
          `cannot publish ports of cell ${cell}: it is not attached`,
        );
      }
      await this.#admit(cell, ports);
      await this.#replace(cell, this.#pairOf(link), ports);
    });
  }

  async readPublished(cell: CellName): Promise<readonly PublishSpec[] | undefined> {
    const link = await this.#findVeth(cell);
    if (link === undefined) return undefined;
    const { cellAddress } = this.#pairOf(link);
    return (await this.#readOwn())
      .filter((entry) => entry.cell === cell && entry.cellAddress === cellAddress)
      .map(({ hostAddress, hostPort, cellPort }) => ({ hostAddress, hostPort, cellPort }));
  }

  detach(cell: CellName): Promise<void> {
    return this.#mutex.run(() => this.#removeWhere((owner) => owner === cell));
  }

  sweep(keep: readonly CellName[]): Promise<void> {
    return this.#mutex.run(async () => {
      const kept = new Set<string | undefined>(keep);
      await this.#removeWhere((owner) => !kept.has(owner));
      const own = (await listTables(this.#run)).includes(tableOf(this.#rootKey));
      if (own && (await this.#listVeths()).length === 0)
        await deleteTable(this.#run, this.#rootKey);
    });
  }

  async guard(
    desired: ReadonlyMap<CellName, readonly PublishSpec[]>,
    told: (by?: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#mutex.run(() => this.#takeOver(desired));
    const changed = guardRules(
      {
        restore: () => this.#mutex.run(() => this.#restore()),
        told,
        failed: (error) => {
          this.#warn("cannot put the network's rules back", error);
        },
      },
      signal,
    );
    const lost = (error: Error): void => {
      // A host without nftables is no trouble while it has no such cell.
      if (this.#published.size > 0)
        this.#warn("changes of the network's rules are not heard of for a while", error);
      changed();
    };
    this.#watch(tableOf(this.#rootKey), changed, lost, signal);
  }

  async #takeOver(desired: ReadonlyMap<string, readonly PublishSpec[]>): Promise<void> {
    const links = await this.#listVeths();
    const listing = links.length > 0 ? await readListing(this.#run, this.#rootKey) : undefined;
    for (const link of links) {
      const cell = cellOfAlias(this.#rootKey, link.ifalias);
      if (cell === undefined) continue;
      const { cellAddress } = this.#pairOf(link);
      const ports = (desired.get(cell) ?? []).map((port) => ({ ...port, cell, cellAddress }));
      this.#published.set(cell, listing?.published.filter((entry) => entry.cell === cell) ?? ports);
    }
  }

  /** True when the table was not as it should be. */
  async #restore(): Promise<boolean> {
    if (this.#published.size === 0) return false;
    const listing = await readListing(this.#run, this.#rootKey);
    const published = [...this.#published.values()].flat();
    if (listing !== undefined && isWhole(this.#rootKey, listing, published)) return false;
    await applyRules(this.#run, restoreText(this.#rootKey, published));
    return true;
  }

  /** Rules first: a port must not lead to an address that may soon be another cell's. */
  async #removeWhere(isDoomed: (owner: string | undefined) => boolean): Promise<void> {
    for (const cell of [...this.#published.keys()].filter(isDoomed)) this.#published.delete(cell);
    const doomed = (await this.#readOwn()).filter((entry) => isDoomed(entry.cell));
    if (doomed.length > 0) await applyRules(this.#run, publishText(this.#rootKey, doomed, []));
    for (const link of await this.#listVeths()) {
      if (isDoomed(cellOfAlias(this.#rootKey, link.ifalias)))
        await deleteVeth(this.#run, link.ifname);
    }
  }

  /** The rules anew and the cell's ports, in one transaction. */
  async #replace(cell: CellName, pair: Pair, ports: readonly PublishSpec[]): Promise<void> {
    const before = (await this.#readOwn()).filter((entry) => entry.cell === cell);
    const after = ports.map((port) => ({ ...port, cell, cellAddress: pair.cellAddress }));
    await applyRules(
      this.#run,
      tableText(this.#rootKey) + publishText(this.#rootKey, before, after),
    );
    this.#published.set(cell, after);
    await setForwarding(
      this.#nameOf(pair),
      ports.some((port) => !isLoopback(port.hostAddress)),
    );
  }

  async #admit(cell: CellName, ports: readonly PublishSpec[]): Promise<void> {
    const own = await this.#readOwn();
    const tables = (await listTables(this.#run)).filter(
      (table) => table !== tableOf(this.#rootKey),
    );
    const foreign = await Promise.all(tables.map((table) => readTable(this.#run, table)));
    refuseTaken(cell, ports, [...own.filter((entry) => entry.cell !== cell), ...foreign.flat()]);
    await refuseUnreachable(cell, ports, await listLinks(this.#run));
    await refuseListening(
      cell,
      ports.filter((port) => !own.some((entry) => isSame(entry, port))),
    );
  }

  async #ensureVeth(cell: CellName, namespace: Namespace): Promise<Pair> {
    const link = await this.#findVeth(cell);
    if (link !== undefined) {
      const pair = this.#pairOf(link);
      if (await isInside(this.#run, link, pair, namespace)) return pair;
      await deleteVeth(this.#run, link.ifname);
    }
    await clearInside(this.#run, namespace);
    return await this.#createVeth(cell, namespace);
  }

  async #createVeth(cell: CellName, namespace: Namespace): Promise<Pair> {
    const taken = (await listRoutes(this.#run)).flatMap((route) => parseBlock(route) ?? []);
    const half = (await this.#listVeths()).map((link) =>
      parseBlock(this.#pairOf(link).hostAddress),
    );
    const pair = choosePair(this.#subnet, this.#rootKey, cell, [
      ...taken,
      ...half.flatMap((block) => block ?? []),
    ]);
    const name = this.#nameOf(pair);
    try {
      await createVeth(this.#run, name, aliasOf(this.#rootKey, cell), pair, namespace);
    } catch (error) {
      await deleteVeth(this.#run, name).catch(() => undefined);
      throw error;
    }
    return pair;
  }

  async #findVeth(cell: CellName): Promise<Link | undefined> {
    const alias = aliasOf(this.#rootKey, cell);
    return (await this.#listVeths()).find((link) => link.ifalias === alias);
  }

  #listVeths(): Promise<readonly Link[]> {
    return listVeths(this.#run, interfacePrefix(this.#rootKey));
  }

  #nameOf(pair: Pair): string {
    return `${interfacePrefix(this.#rootKey)}${String(pair.index)}`;
  }

  /** The name's index gives the addresses. */
  #pairOf(link: Link): Pair {
    return pairAt(this.#subnet, Number(link.ifname.slice(interfacePrefix(this.#rootKey).length)));
  }

  #readOwn(): Promise<readonly Published[]> {
    return readTable(this.#run, tableOf(this.#rootKey));
  }

  /** Choosing an address and taking it must not be divided. */
}
