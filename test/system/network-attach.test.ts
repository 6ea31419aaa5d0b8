// A cell's veth from attach to detach: made once, made whole, taken away whole, and nobody else's.

import { execFileSync } from "node:child_process";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import {
  BLOG,
  CELL_PORT,
  Lab,
  SHOP,
  addressesOf,
  call,
  freePort,
  ip,
  local,
} from "./network-lab.js";

let lab: Lab;
beforeEach(() => {
  lab = new Lab();
});
afterEach(async () => {
  await lab.close();
});

describe("attach and detach", () => {
  it("does nothing to a cell that is attached as it should be", async () => {
    const port = await freePort();
    const pid = await lab.cellWith(SHOP, [local(port)]);
    const before = ip(pid, "-o", "link", "show", "dev", "eth0");
    await lab.network.attach(SHOP, pid, [local(port)]);
    expect(ip(pid, "-o", "link", "show", "dev", "eth0")).toBe(before);
    expect(call("host", "127.0.0.1", port)).toContain("answered");
  });

  it("gives a cell whose namespace was ended and made anew the same address and ports", async () => {
    const port = await freePort();
    const first = await lab.namespace();
    await lab.network.attach(SHOP, first, [local(port)]);
    const { cell } = addressesOf(first);
    await lab.end(first);
    const pid = await lab.cellWith(SHOP, [local(port)]);
    expect(addressesOf(pid).cell).toBe(cell);
    expect(call("host", "127.0.0.1", port)).toContain("answered");
  });

  it("completes what a daemon killed in the middle left half made", async () => {
    const pid = await lab.namespace();
    const argv = [
      "link",
      "add",
      `${lab.vethPrefix}7`,
      "type",
      "veth",
      "peer",
      "name",
      "eth0",
      "netns",
      String(pid),
    ];
    execFileSync("/usr/sbin/ip", argv);
    const port = await freePort();
    await lab.network.attach(SHOP, pid, [local(port)]);
    await lab.serve(pid, CELL_PORT);
    expect(call("host", "127.0.0.1", port)).toContain("answered");
    expect(lab.links()).toHaveLength(1);
  });

  it("puts its rules back when somebody flushed the whole rule set's table", async () => {
    const port = await freePort();
    await lab.cellWith(SHOP, [local(port)]);
    execFileSync("/usr/sbin/nft", ["delete", "table", "inet", lab.table]);
    await lab.network.publish(SHOP, [local(port)]);
    expect(call("host", "127.0.0.1", port)).toContain("answered");
  });

  it("leaves nothing behind, also when the namespace was gone before", async () => {
    const port = await freePort();
    const pid = await lab.cellWith(SHOP, [local(port)]);
    const blog = await lab.cellWith(BLOG, [local(await freePort())]);
    await lab.network.detach(SHOP);
    await lab.network.detach(SHOP);
    expect(await lab.network.readPublished(SHOP)).toBeUndefined();
    expect(ip(pid, "-o", "link", "show")).not.toContain("eth0");
    await lab.end(blog);
    await lab.network.detach(BLOG);
    const text = execFileSync("/usr/sbin/nft", ["list", "map", "inet", lab.table, "published"]);
    expect(text.toString()).not.toContain("elements");
    await lab.network.sweep([]);
    expect(lab.tables()).toEqual([]);
  });

  it("sweeps what belongs to no cell it is told to keep", async () => {
    const port = await freePort();
    await lab.cellWith(SHOP, [local(port)]);
    await lab.cellWith(BLOG, [local(await freePort())]);
    await lab.network.sweep([SHOP]);
    expect(await lab.network.readPublished(BLOG)).toBeUndefined();
    expect(call("host", "127.0.0.1", port)).toContain("answered");
    await lab.network.sweep([]);
    expect(lab.links()).toEqual([]);
    expect(lab.tables()).toEqual([]);
  });

  it("leaves a second daemon's cell of the same name alone", async () => {
    const [port, otherPort] = [await freePort(), await freePort()];
    await lab.cellWith(SHOP, [local(port)]);
    await lab.cellWith(SHOP, [local(otherPort)], lab.other);
    expect(call("host", "127.0.0.1", port)).toContain("answered");
    await lab.network.detach(SHOP);
    await lab.network.sweep([]);
    expect(call("host", "127.0.0.1", otherPort)).toContain("answered");
    expect(await lab.other.readPublished(SHOP)).toEqual([local(otherPort)]);
  });

  it("refuses a process in the host's own network, and one that is gone", async () => {
    await expect(lab.network.attach(SHOP, process.pid, [])).rejects.toMatchObject({
      code: "WRONG_STATE",
    });
    const pid = await lab.namespace();
    await lab.end(pid);
    await expect(lab.network.attach(SHOP, pid, [])).rejects.toMatchObject({ code: "WRONG_STATE" });
  });
});
