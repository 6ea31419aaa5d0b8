// Published ports against a real kernel: who reaches a cell through them, and which are refused.

import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import {
  BLOG,
  CELL_PORT,
  HIDDEN_PORT,
  HOST_ADDRESS,
  Lab,
  NEIGHBOUR_ADDRESS,
  SHOP,
  addressesOf,
  call,
  countArrivals,
  freePort,
  giveRoute,
  knock,
  local,
  sendLoopbackOut,
} from "./network-lab.js";

let lab: Lab;
beforeEach(() => {
  lab = new Lab();
});
afterEach(async () => {
  await lab.close();
});

describe("a published port", () => {
  it("answers on 127.0.0.1 of the host, and the cell sees the host's end of its veth", async () => {
    const port = await freePort();
    const pid = await lab.cellWith(SHOP, [local(port)]);
    expect(call("host", "127.0.0.1", port)).toBe(`answered ${addressesOf(pid).host}`);
    expect(await lab.network.readPublished(SHOP)).toEqual([local(port)]);
  });

  it("is replaced by another, and the old one is closed", async () => {
    const [before, after] = [await freePort(), await freePort()];
    await lab.cellWith(SHOP, [local(before)]);
    await lab.network.publish(SHOP, [local(after, HIDDEN_PORT)]);
    expect(call("host", "127.0.0.1", before)).toBe("ECONNREFUSED");
    expect(call("host", "127.0.0.1", after)).toContain("answered");
    expect(await lab.network.readPublished(SHOP)).toEqual([local(after, HIDDEN_PORT)]);
  });

  it("on 127.0.0.1 cannot be reached by a neighbour, whichever address it sends to", async () => {
    const port = await freePort();
    const pid = await lab.cellWith(SHOP, [
      local(port),
      { ...local(port), hostAddress: "127.0.0.2" },
    ]);
    const neighbour = await lab.neighbour(true);
    giveRoute(pid);
    sendLoopbackOut(neighbour, HOST_ADDRESS, NEIGHBOUR_ADDRESS);
    // As a port published to neighbours would have it.
    writeFileSync(`/proc/sys/net/ipv4/conf/${lab.links()[0] ?? ""}/forwarding`, "1");
    const counts = countArrivals(pid, "input", ["meta l4proto tcp"], () => {
      expect(knock(neighbour, "127.0.0.1", port)).toBe("dropped");
      expect(call(neighbour, HOST_ADDRESS, port)).toBe("ECONNREFUSED");
    });
    expect(counts).toEqual([0]);
  });

  it("on an address of the network answers neighbours there and nowhere else", async () => {
    const port = await freePort();
    const neighbour = await lab.neighbour(true);
    const pid = await lab.cellWith(SHOP, [
      { hostAddress: HOST_ADDRESS, hostPort: port, cellPort: CELL_PORT },
    ]);
    expect(call(neighbour, HOST_ADDRESS, port)).toBe(`answered ${addressesOf(pid).host}`);
    expect(call("host", HOST_ADDRESS, port)).toContain("answered");
    expect(call("host", "127.0.0.1", port)).toBe("ECONNREFUSED");
    const forwarding = `/proc/sys/net/ipv4/conf/${lab.links()[0] ?? ""}/forwarding`;
    expect(readFileSync(forwarding, "utf8")).toBe("1\n");
    await lab.network.publish(SHOP, [local(port)]);
    expect(readFileSync(forwarding, "utf8")).toBe("0\n");
  });

  it("lets no packet of a neighbour come to a cell's own address", async () => {
    const port = await freePort();
    const neighbour = await lab.neighbour(true);
    const pid = await lab.cellWith(SHOP, [
      { hostAddress: HOST_ADDRESS, hostPort: port, cellPort: CELL_PORT },
    ]);
    const { cell } = addressesOf(pid);
    const ports = [`tcp dport ${String(CELL_PORT)}`, `tcp dport ${String(HIDDEN_PORT)}`];
    const counts = countArrivals(pid, "input", ports, () => {
      expect(knock(neighbour, cell, CELL_PORT)).toBe("dropped");
      expect(knock(neighbour, cell, HIDDEN_PORT)).toBe("dropped");
    });
    expect(counts).toEqual([0, 0]);
  });

  it("on an address whose interface does not forward is refused, with what to do", async () => {
    await lab.neighbour(false);
    const pid = await lab.namespace();
    const ports = [{ hostAddress: HOST_ADDRESS, hostPort: await freePort(), cellPort: CELL_PORT }];
    await expect(lab.network.attach(SHOP, pid, ports)).rejects.toMatchObject({
      code: "WRONG_STATE",
      hint: expect.stringContaining("forwarding=1") as string,
    });
    expect(lab.links()).toEqual([]);
  });

  it("that a process of the host, another cell or another daemon has is refused", async () => {
    const pid = await lab.namespace();
    const { server, port } = await lab.listenOnHost("127.0.0.1");
    await expect(lab.network.attach(SHOP, pid, [local(port)])).rejects.toMatchObject({
      code: "WRONG_STATE",
    });
    server.close();
    await once(server, "close");
    await lab.network.attach(SHOP, pid, [local(port)]);
    const second = await lab.namespace();
    const refusal = {
      code: "WRONG_STATE",
      message: expect.stringContaining("cell shop has it") as string,
    };
    await expect(lab.network.attach(BLOG, second, [local(port)])).rejects.toMatchObject(refusal);
    await expect(lab.other.attach(BLOG, second, [local(port)])).rejects.toMatchObject(refusal);
    await lab.network.attach(SHOP, pid, [local(port)]);
  });

  it("on an address the host does not have is refused", async () => {
    const pid = await lab.namespace();
    for (const hostAddress of ["0.0.0.0", "203.0.113.7"]) {
      const ports = [{ hostAddress, hostPort: await freePort(), cellPort: CELL_PORT }];
      await expect(lab.network.attach(SHOP, pid, ports)).rejects.toMatchObject({
        code: "WRONG_STATE",
      });
    }
  });
});
