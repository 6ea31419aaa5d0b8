// The veth of each cell with a network of its own: found by its alias, made where it is missing, at the addresses its
// name gives. It knows no rules.

import type { Run } from "../command.js";
import { KernelError } from "../errors.js";
import type { CellName } from "../spec/index.js";
import { choosePair, pairAt, parseBlock } from "./address.js";
import type { Block, Pair } from "./address.js";
import { listRoutes, listVeths } from "./links.js";
import type { Link } from "./links.js";
import { aliasOf, interfacePrefix } from "./ruleset.js";
import type { RootKey } from "./ruleset.js";
import { createVeth, deleteVeth, isInside } from "./veth.js";
import type { Namespace } from "./veth.js";

/** A veth this process has made or looked at: its host end's index, and the other end's namespace. */
export interface Made {
  readonly ifindex: number;
  readonly namespace: string;
}

export class Veths {
  readonly #run: Run;
  readonly #rootKey: RootKey;
  readonly #subnet: Block;
  constructor(run: Run, rootKey: RootKey, subnet: Block) {
    this.#run = run;
    this.#rootKey = rootKey;
    this.#subnet = subnet;
  }

  /** @param made what is known of it: then nobody is asked about its other end */
  async ensure(cell: CellName, namespace: Namespace, made: Made | undefined): Promise<Link> {
    const link = await this.find(cell);
    if (link !== undefined) {
      if (made?.ifindex === link.ifindex && made.namespace === namespace.id) return link;
      if (await isInside(this.#run, link, this.pairOf(link), namespace)) return link;
      await deleteVeth(this.#run, link.ifname);
    }
    return await this.#create(cell, namespace);
  }

  async find(cell: CellName): Promise<Link | undefined> {
    const alias = aliasOf(this.#rootKey, cell);
    return (await this.list()).find((link) => link.ifalias === alias);
  }

  list(): Promise<readonly Link[]> {
    return listVeths(interfacePrefix(this.#rootKey));
  }

  /** The name's index gives the addresses. */
  pairOf(link: Link): Pair {
    return pairAt(this.#subnet, Number(link.ifname.slice(interfacePrefix(this.#rootKey).length)));
  }

  async #create(cell: CellName, namespace: Namespace): Promise<Link> {
    const routes = await listRoutes();
    const half = (await this.list()).map((link) => this.pairOf(link).hostAddress);
    const taken = [...routes, ...half].flatMap((route) => parseBlock(route) ?? []);
    const pair = choosePair(this.#subnet, this.#rootKey, cell, taken);
    const name = `${interfacePrefix(this.#rootKey)}${String(pair.index)}`;
    try {
      await createVeth(this.#run, name, aliasOf(this.#rootKey, cell), pair, namespace);
    } catch (error) {
      await deleteVeth(this.#run, name).catch(() => undefined);
      throw error;
    }
    const link = await this.find(cell);
    if (link === undefined) throw new KernelError("find", "ENODEV", { path: name });
    return link;
  }
}
