// The network of root cells that have one of their own: a veth pair, and the ports published through it.
// Nothing is stored: a veth's alias and the comments in the nftables table say whose they are. They are read once; from
// then on this is their only writer, and the guard hears of anybody else.

import type { Run } from "../command.js";
import { CommandError, HengeError } from "../errors.js";
import { createMutex } from "../mutex.js";
import type { CellName, PublishSpec } from "../spec/index.js";
import { isLoopback, parseBlock } from "./address.js";
import type { Block } from "./address.js";
import { Veths } from "./cell-veth.js";
import type { Made } from "./cell-veth.js";
import { isSame, refuseListening, refuseTaken, refuseUnreachable } from "./admission.js";
import { guardRules } from "./guard.js";
import { listLinkNames } from "./links.js";
import type { Link } from "./links.js";
import { applyRules, deleteTable, listTables, readListing, readTable } from "./nftables.js";
import type { NetworkPort } from "./port.js";
import {
  cellOfAlias,
  isForeignVeth,
  isRootKey,
  isWhole,
  publishText,
  restoreText,
  tableOf,
  tableText,
} from "./ruleset.js";
import type { Published, RootKey } from "./ruleset.js";
import { deleteVeth, listAddresses, openNamespace, setForwarding } from "./veth.js";
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

/** What is known of a cell's network. */
interface Attached {
  readonly published: readonly Published[];
  /** Absent for what a former daemon made. */
  readonly made?: Made;
}

class Network implements NetworkPort {
  readonly #run: Run;
  readonly #rootKey: RootKey;
  readonly #veths: Veths;
  readonly #watch: Watch;
  readonly #warn: (text: string, error: unknown) => void;
  /** By cell: what is put back when the rules are gone. */
  readonly #attached = new Map<string, Attached>();
  /** Undefined until the kernel was asked. */
  #hasTable: boolean | undefined;
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
    this.#veths = new Veths(run, rootKey, subnet);
    this.#watch = watch;
    this.#warn = warn;
  }

  admit(cell: CellName, ports: readonly PublishSpec[]): Promise<void> {
    return this.#mutex.run(async () => {
      await this.#learn();
      await this.#admit(cell, ports);
    });
  }

  attach(cell: CellName, initPid: number, ports: readonly PublishSpec[]): Promise<void> {
    return this.#mutex.run(async () => {
      const namespace = await openNamespace(initPid);
      try {
        await this.#learn();
        await this.#admit(cell, ports);
        // Before the veth: there is no moment without the rules.
        if (this.#hasTable !== true) await this.#apply("");
        const known = this.#attached.get(cell)?.made;
        const link = await this.#veths.ensure(cell, namespace, known);
        const made = { ifindex: link.ifindex, namespace: namespace.id };
        await this.#replace(cell, link, ports, made);
      } finally {
        await namespace.close();
      }
    });
  }

  publish(cell: CellName, ports: readonly PublishSpec[]): Promise<void> {
    return this.#mutex.run(async () => {
      await this.#learn();
      const link = await this.#veths.find(cell);
      if (link === undefined) {
        throw new HengeError(
          "WRONG_STATE",
          `cannot publish ports of cell ${cell}: it is not attached`,
        );
      }
      await this.#admit(cell, ports);
      await this.#replace(cell, link, ports, this.#attached.get(cell)?.made);
    });
  }

  async readPublished(cell: CellName): Promise<readonly PublishSpec[] | undefined> {
    if (this.#hasTable === undefined) await this.#mutex.run(() => this.#learn());
    const link = await this.#veths.find(cell);
    if (link === undefined) return undefined;
    const { cellAddress } = this.#veths.pairOf(link);
    return (this.#attached.get(cell)?.published ?? [])
      .filter((entry) => entry.cellAddress === cellAddress)
      .map(({ hostAddress, hostPort, cellPort }) => ({ hostAddress, hostPort, cellPort }));
  }

  detach(cell: CellName): Promise<void> {
    return this.#mutex.run(() => this.#removeWhere((owner) => owner === cell));
  }

  sweep(keep: readonly CellName[]): Promise<void> {
    return this.#mutex.run(async () => {
      const kept = new Set<string | undefined>(keep);
      await this.#removeWhere((owner) => !kept.has(owner));
      if (this.#hasTable !== true || (await this.#veths.list()).length > 0) return;
      await deleteTable(this.#run, this.#rootKey);
      this.#hasTable = false;
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
      if (this.#attached.size > 0)
        this.#warn("changes of the network's rules are not heard of for a while", error);
      changed();
    };
    this.#watch(tableOf(this.#rootKey), changed, lost, signal);
  }

  async #takeOver(desired: ReadonlyMap<string, readonly PublishSpec[]>): Promise<void> {
    await this.#learn();
    if (this.#hasTable === true) return;
    for (const link of await this.#veths.list()) {
      const cell = cellOfAlias(this.#rootKey, link.ifalias);
      if (cell === undefined) continue;
      const { cellAddress } = this.#veths.pairOf(link);
      const published = (desired.get(cell) ?? []).map((port) => ({ ...port, cell, cellAddress }));
      this.#attached.set(cell, { published });
    }
  }

  /** Asks the kernel what a former daemon left, once. */
  async #learn(): Promise<void> {
    if (this.#hasTable !== undefined) return;
    const listing = await readListing(this.#run, this.#rootKey);
    const attached = (await this.#veths.list()).flatMap(
      ({ ifalias }) => cellOfAlias(this.#rootKey, ifalias) ?? [],
    );
    const published = listing?.published ?? [];
    for (const cell of new Set([...attached, ...published.map((entry) => entry.cell)]))
      this.#attached.set(cell, { published: published.filter((entry) => entry.cell === cell) });
    this.#hasTable = listing !== undefined;
  }

  #published(): readonly Published[] {
    return [...this.#attached.values()].flatMap(({ published }) => published);
  }

  /** True when the table was not as it should be. */
  async #restore(): Promise<boolean> {
    if (this.#attached.size === 0) return false;
    const listing = await readListing(this.#run, this.#rootKey);
    const published = this.#published();
    if (listing !== undefined && isWhole(this.#rootKey, listing, published)) return false;
    await applyRules(this.#run, restoreText(this.#rootKey, published));
    return true;
  }

  /** Rules first: a port must not lead to an address that may soon be another cell's. */
  async #removeWhere(isDoomed: (owner: string | undefined) => boolean): Promise<void> {
    await this.#learn();
    const doomed = [...this.#attached.keys()].filter(isDoomed);
    const removed = doomed.flatMap((cell) => this.#attached.get(cell)?.published ?? []);
    for (const cell of doomed) this.#attached.delete(cell);
    if (removed.length > 0) await this.#apply(publishText(this.#rootKey, removed, []));
    for (const link of await this.#veths.list()) {
      if (isDoomed(cellOfAlias(this.#rootKey, link.ifalias)))
        await deleteVeth(this.#run, link.ifname);
    }
  }

  async #replace(
    cell: CellName,
    link: Link,
    ports: readonly PublishSpec[],
    made: Made | undefined,
  ): Promise<void> {
    const { cellAddress } = this.#veths.pairOf(link);
    const before = this.#attached.get(cell);
    const published = ports.map((port) => ({ ...port, cell, cellAddress }));
    this.#attached.set(cell, { published, ...(made === undefined ? {} : { made }) });
    try {
      await this.#apply(publishText(this.#rootKey, before?.published ?? [], published));
    } catch (error) {
      if (before === undefined) this.#attached.delete(cell);
      else this.#attached.set(cell, before);
      throw error;
    }
    await setForwarding(
      link.ifname,
      ports.some((port) => !isLoopback(port.hostAddress)),
    );
  }

  /**
   * The rules anew and what changes of the ports, in one transaction; where the kernel has other ports than it should,
   * all of the table.
   */
  async #apply(change: string): Promise<void> {
    try {
      await applyRules(this.#run, tableText(this.#rootKey) + change);
    } catch (error) {
      if (change === "" || !(error instanceof CommandError) || error.exit === "ENOENT") throw error;
      await applyRules(this.#run, restoreText(this.#rootKey, this.#published()));
    }
    this.#hasTable = true;
  }

  async #admit(cell: CellName, ports: readonly PublishSpec[]): Promise<void> {
    if (ports.length === 0) return;
    const own = this.#published();
    const foreign = await this.#readForeign();
    refuseTaken(cell, ports, [...own.filter((entry) => entry.cell !== cell), ...foreign]);
    await refuseUnreachable(cell, ports, () => listAddresses(this.#run));
    await refuseListening(
      cell,
      ports.filter((port) => !own.some((entry) => isSame(entry, port))),
    );
  }

  /** Of other daemons of this host; one that publishes has a veth. */
  async #readForeign(): Promise<readonly Published[]> {
    const names = await listLinkNames();
    if (!names.some((name) => isForeignVeth(this.#rootKey, name))) return [];
    const tables = (await listTables(this.#run)).filter(
      (table) => table !== tableOf(this.#rootKey),
    );
    return (await Promise.all(tables.map((table) => readTable(this.#run, table)))).flat();
  }
}
