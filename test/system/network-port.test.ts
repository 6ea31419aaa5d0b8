// What every NetworkPort promises, over the fake and over the host's own network.

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { runCommand } from "../../src/command.js";
import { createNetwork } from "../../src/network/network.js";
import type { NetworkPort } from "../../src/network/port.js";
import type { CellName, PublishSpec } from "../../src/spec/index.js";
import { createFakeNetwork } from "../fake/network.js";
import { Lab, freePort } from "./network-lab.js";

const SHOP = "shop" as CellName;
const BLOG = "blog" as CellName;
const KEY = (process.pid + 0x800000).toString(16).slice(-6);

describe.each<[string, () => NetworkPort]>([
  ["the fake", createFakeNetwork],
  ["the host", () => createNetwork({ run: runCommand, rootKey: KEY })],
])("a network port over %s", (_, open) => {
  let lab: Lab;
  let port: NetworkPort;
  let shop: number;
  let published: readonly PublishSpec[];
  beforeEach(async () => {
    lab = new Lab();
    port = open();
    shop = await lab.namespace();
    published = [{ hostAddress: "127.0.0.1", hostPort: await freePort(), cellPort: 3000 }];
  });
  afterEach(async () => {
    await port.sweep([]);
    await lab.close();
  });

  it("tells what a cell publishes, and nothing of a cell that is not attached", async () => {
    expect(await port.readPublished(SHOP)).toBeUndefined();
    await port.attach(SHOP, shop, published);
    expect(await port.readPublished(SHOP)).toEqual(published);
    expect(await port.readPublished(BLOG)).toBeUndefined();
  });

  it("attaches a cell twice and detaches it twice", async () => {
    await port.attach(SHOP, shop, published);
    await port.attach(SHOP, shop, published);
    expect(await port.readPublished(SHOP)).toEqual(published);
    await port.detach(SHOP);
    await port.detach(SHOP);
    expect(await port.readPublished(SHOP)).toBeUndefined();
  });

  it("replaces what is published, also by nothing", async () => {
    await port.attach(SHOP, shop, []);
    expect(await port.readPublished(SHOP)).toEqual([]);
    await port.publish(SHOP, published);
    expect(await port.readPublished(SHOP)).toEqual(published);
    await port.publish(SHOP, []);
    expect(await port.readPublished(SHOP)).toEqual([]);
  });

  it("refuses to publish for a cell that is not attached", async () => {
    await expect(port.publish(SHOP, published)).rejects.toMatchObject({ code: "WRONG_STATE" });
  });

  it("gives one port to one cell, until that lets it go", async () => {
    const blog = await lab.namespace();
    await port.attach(SHOP, shop, published);
    await expect(port.attach(BLOG, blog, published)).rejects.toMatchObject({ code: "WRONG_STATE" });
    await port.detach(SHOP);
    await port.attach(BLOG, blog, published);
    expect(await port.readPublished(BLOG)).toEqual(published);
  });

  it("sweeps every cell but those it is told to keep", async () => {
    await port.attach(SHOP, shop, published);
    await port.attach(BLOG, await lab.namespace(), []);
    await port.sweep([SHOP]);
    expect(await port.readPublished(SHOP)).toEqual(published);
    expect(await port.readPublished(BLOG)).toBeUndefined();
  });
});
