// Which tools a change of the network runs: each is a fork, and one that hangs holds its change up.

import { readFileSync } from "node:fs";

import { afterEach, beforeEach, expect, it } from "vitest";

import { runCommand } from "../../src/command.js";
import type { Run } from "../../src/command.js";
import { HengeError } from "../../src/errors.js";
import { BLOG, Lab, SHOP, freePort, local, openNetwork } from "./network-lab.js";

let lab: Lab;
let ran: string[];
/** How often the tables were listed; who publishes looks at those of every other daemon of this host, too. */
let looks: number;
let stuck: boolean;
beforeEach(() => {
  lab = new Lab();
  ran = [];
  looks = 0;
  stuck = false;
});
afterEach(async () => {
  await lab.close();
});

const counted: Run = async (argv, options) => {
  if (stuck) throw new HengeError("DEADLINE", `cannot run ${argv.join(" ")}`);
  const table = argv.find((word) => word.startsWith("henge_"));
  if (argv.includes("tables")) looks += 1;
  else if (table === undefined || table === lab.table)
    ran.push(argv.includes("/usr/sbin/ip") ? "ip" : "nft");
  return runCommand(argv, options);
};

/** Sorted: what matters is how many. */
function taken(): readonly string[] {
  return ran.splice(0).sort();
}

it("asks nothing of a cell without a network, and of another what it needs", async () => {
  const network = openNetwork(counted);
  await network.sweep([]);
  await network.detach(SHOP);
  await network.sweep([]);
  expect([looks, taken()]).toEqual([1, []]);
  // The first finds no rules yet: they come before its veth.
  await network.attach(BLOG, await lab.namespace(), []);
  expect(taken()).toEqual(["ip", "ip", "nft", "nft"]);
  const shop = await lab.namespace();
  await network.attach(SHOP, shop, [local(await freePort())]);
  expect(taken()).toEqual(["ip", "ip", "nft"]);
  await network.attach(SHOP, shop, [local(await freePort())]);
  expect(taken()).toEqual(["nft"]);
  await network.detach(SHOP);
  await network.sweep([BLOG]);
  expect(taken()).toEqual(["ip", "nft"]);
  await network.sweep([]);
  expect(taken()).toEqual(["ip", "nft"]);
});

it("tells what is published though no tool answers", async () => {
  const network = openNetwork(counted);
  const port = await freePort();
  await network.attach(SHOP, await lab.namespace(), [local(port)]);
  stuck = true;
  expect(await network.readPublished(SHOP)).toEqual([local(port)]);
  expect(await network.readPublished(BLOG)).toBeUndefined();
  stuck = false;
});

it("takes over what a former daemon attached, with one look at the rules", async () => {
  const port = await freePort();
  const pid = await lab.cellWith(SHOP, [local(port)]);
  const network = openNetwork(counted);
  await network.sweep([SHOP]);
  expect([looks, taken()]).toEqual([1, ["nft"]]);
  expect(await network.readPublished(SHOP)).toEqual([local(port)]);
  expect(taken()).toEqual([]);
  expect(readFileSync(`/proc/${String(pid)}/net/dev`, "utf8")).toContain("eth0");
});
