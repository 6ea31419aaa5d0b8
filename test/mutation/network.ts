// What the daemon's rules for networks defend.

import type { Mutation } from "./mutation.js";

export const NETWORK: readonly Mutation[] = [
  {
    name: "a neighbour's packet comes to a cell's own address",
    file: "src/network/ruleset.ts",
    from: "rules: [`oifname ${veths} ct status dnat accept`, `oifname ${veths} drop`],",
    to: "rules: [`oifname ${veths} accept`],",
    test: "test/system/network-boundary.test.ts",
    fails:
      "the boundary of a cell's network > keeps the host's own users from ports that are not published",
  },
  {
    name: "a cell reaches the host",
    file: "src/network/ruleset.ts",
    from: "status dnat accept`, `iifname ${veths} drop`],",
    to: "status dnat accept`],",
    test: "test/system/network-boundary.test.ts",
    fails:
      "the boundary of a cell's network > keeps the cell from the host, on its end of the veth and on any other address",
  },
  {
    name: "rules that somebody flushed stay away",
    file: "src/network/network.ts",
    from: "    await applyRules(this.#run, restoreText(this.#rootKey, published));\n    return true;",
    to: "    return true;",
    test: "test/system/network-guard.test.ts",
    fails:
      "rules that somebody else changed > come back without another table being touched, or their own change being told",
  },
  {
    name: "an accept that somebody put before a drop stays",
    file: "src/network/ruleset.ts",
    from: "  return isSameSet(listing.chains, wanted) && isSameSet(listing.published, published);",
    to: "  return listing.chains.length >= wanted.length && isSameSet(listing.published, published);",
    test: "test/system/network-guard.test.ts",
    fails:
      "rules that somebody else changed > are as they were within five seconds: an accept put before the drop",
  },
  {
    name: "a change of the rules is not heard of while the ear is away",
    file: "src/network/watch.ts",
    from: "        changed(processOf(line));",
    to: "        if (processOf(line) !== undefined) changed(processOf(line));",
    test: "test/system/network-guard.test.ts",
    fails:
      "rules that somebody else changed > come back also when they were changed while nobody listened",
  },
  {
    name: "a tool that hangs holds up whoever only reads",
    file: "src/network/network.ts",
    from: "    if (this.#hasTable === undefined) await this.#mutex.run(() => this.#learn());",
    to: "    await readListing(this.#run, this.#rootKey);",
    test: "test/system/network-tools.test.ts",
    fails: "tells what is published though no tool answers",
  },
];
