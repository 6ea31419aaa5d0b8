// What the network makes of its tools; what the tools make of the kernel is in test/system.

import { describe, expect, it } from "vitest";

import type { Run } from "../../../src/command.js";
import { CommandError } from "../../../src/errors.js";
import { createNetwork } from "../../../src/network/network.js";
import type { CellName } from "../../../src/spec/index.js";

const SHOP = "shop" as CellName;

const notInstalled: Run = (argv) => Promise.reject(new CommandError(argv, "ENOENT", ""));

describe("a host without ip and nft", () => {
  it("has nothing to detach, to sweep or to read", async () => {
    const network = createNetwork({ run: notInstalled, rootKey: "" });
    await network.detach(SHOP);
    await network.sweep([]);
    expect(await network.readPublished(SHOP)).toBeUndefined();
  });
});

describe("a host whose cells have no network of their own", () => {
  it("is asked once what a former daemon left, and runs no tool after that", async () => {
    const ran: string[] = [];
    const run: Run = (argv) => {
      ran.push(argv.join(" "));
      return Promise.resolve('{"nftables": []}');
    };
    const network = createNetwork({ run, rootKey: "0123ab" });
    await network.sweep([SHOP]);
    expect(ran.splice(0)).toHaveLength(1);
    for (let n = 0; n < 3; n += 1) {
      await network.detach(SHOP);
      await network.sweep([SHOP]);
      expect(await network.readPublished(SHOP)).toBeUndefined();
    }
    expect(ran).toEqual([]);
  });
});

describe("a tool that fails or answers nonsense", () => {
  it.each<[string, Run]>([
    ["nonsense", () => Promise.resolve("<html>")],
    ["nothing", () => Promise.resolve("")],
    ["status 1", (argv) => Promise.reject(new CommandError(argv, 1, "Error: no permission"))],
  ])("is named in the error: %s", async (_, run) => {
    const network = createNetwork({ run, rootKey: "" });
    await expect(network.detach(SHOP)).rejects.toMatchObject({ code: "KERNEL_REFUSED" });
    // The turn of the next is not lost with it.
    await expect(network.sweep([])).rejects.toThrow(/\/usr\/sbin\/(nft|ip)/);
  });
});

describe("createNetwork", () => {
  it("refuses a subnet or a key that would not make names and addresses", () => {
    const run = notInstalled;
    expect(() => createNetwork({ run, rootKey: "", subnet: "somewhere" })).toThrow(/subnet/);
    expect(() => createNetwork({ run, rootKey: "", subnet: "10.83.0.1" })).toThrow(/subnet/);
    expect(() => createNetwork({ run, rootKey: "no;good" })).toThrow(/root key/);
  });
});
