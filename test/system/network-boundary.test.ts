// What a cell with a network of its own cannot reach, and who cannot reach it. Packets are counted behind the rule
// under test: many drops are doubled, so that a connection that fails proves too little.

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
  ip,
  knock,
  local,
  sendLoopbackOut,
} from "./network-lab.js";

/** An address that is no cell's. */
const STRANGE = "198.19.0.9";

let lab: Lab;
beforeEach(() => {
  lab = new Lab();
});
afterEach(async () => {
  await lab.close();
});

describe("the boundary of a cell's network", () => {
  it("keeps the cell from the host, on its end of the veth and on any other address", async () => {
    const pid = await lab.cellWith(SHOP, [local(await freePort())]);
    const { host } = addressesOf(pid);
    await lab.neighbour(true);
    giveRoute(pid);
    const { server, port } = await lab.listenOnHost("0.0.0.0");
    const counts = countArrivals("host", "input", [`tcp dport ${String(port)}`], () => {
      expect(knock(pid, host, port)).toBe("dropped");
      expect(knock(pid, HOST_ADDRESS, port)).toBe("dropped");
    });
    server.close();
    expect(counts).toEqual([0]);
  });

  it("keeps the cell from the host's neighbours, though it talks with them on a published port", async () => {
    const port = await freePort();
    const neighbour = await lab.neighbour(true);
    const pid = await lab.cellWith(SHOP, [
      { hostAddress: HOST_ADDRESS, hostPort: port, cellPort: CELL_PORT },
    ]);
    giveRoute(pid);
    expect(call(neighbour, HOST_ADDRESS, port)).toContain("answered");
    const counts = countArrivals(neighbour, "input", ["tcp dport 8080"], () => {
      expect(knock(pid, NEIGHBOUR_ADDRESS, 8080)).toBe("dropped");
    });
    expect(counts).toEqual([0]);
  });

  it("keeps the cell from the host's 127.0.0.1, though its veth routes that", async () => {
    const pid = await lab.cellWith(SHOP, [local(await freePort())]);
    const { server, port } = await lab.listenOnHost("127.0.0.1");
    const { host, cell } = addressesOf(pid);
    sendLoopbackOut(pid, host, cell);
    const kind = `iifname != "lo" tcp dport ${String(port)}`;
    // Where the packet comes in: what lets nothing of a cell's in would drop it later.
    const counts = countArrivals("host", "prerouting", [kind], () => {
      expect(knock(pid, "127.0.0.1", port)).toBe("dropped");
    });
    server.close();
    expect(counts).toEqual([0]);
  });

  it("keeps a neighbour from a port that is published on 127.0.0.1 alone", async () => {
    const port = await freePort();
    const neighbour = await lab.neighbour(true);
    const pid = await lab.cellWith(SHOP, [local(port)]);
    sendLoopbackOut(neighbour, HOST_ADDRESS, NEIGHBOUR_ADDRESS);
    const counts = countArrivals(pid, "input", [`tcp dport ${String(CELL_PORT)}`], () => {
      expect(knock(neighbour, "127.0.0.1", port)).toBe("dropped");
    });
    expect(counts).toEqual([0]);
    expect(call("host", "127.0.0.1", port)).toContain("answered");
  });

  it("keeps the cell from another cell, on its address and on the port it publishes", async () => {
    const port = await freePort();
    const neighbour = await lab.neighbour(true);
    const pid = await lab.cellWith(SHOP, [
      { hostAddress: HOST_ADDRESS, hostPort: port, cellPort: CELL_PORT },
    ]);
    const blogPort = await freePort();
    const blog = await lab.cellWith(BLOG, [
      { hostAddress: HOST_ADDRESS, hostPort: blogPort, cellPort: CELL_PORT },
    ]);
    giveRoute(pid);
    giveRoute(blog);
    expect(call(neighbour, HOST_ADDRESS, blogPort)).toContain("answered");
    const counts = countArrivals(blog, "input", ["meta l4proto tcp"], () => {
      expect(knock(pid, addressesOf(blog).cell, HIDDEN_PORT)).toBe("dropped");
      expect(knock(pid, HOST_ADDRESS, blogPort)).toBe("dropped");
    });
    expect(counts).toEqual([0]);
  });

  it("keeps the host's own users from ports that are not published", async () => {
    const pid = await lab.cellWith(SHOP, [local(await freePort())]);
    const counts = countArrivals(pid, "input", [`tcp dport ${String(HIDDEN_PORT)}`], () => {
      expect(knock("host", addressesOf(pid).cell, HIDDEN_PORT)).toBe("dropped");
    });
    expect(counts).toEqual([0]);
  });

  it("gives the cell no way out: it learns at once that there is none", async () => {
    const pid = await lab.cellWith(SHOP, [local(await freePort())]);
    expect(call(pid, "192.0.2.77", 80)).toBe("ENETUNREACH");
  });

  it("drops what a cell sends from an address that is not its own", async () => {
    const pid = await lab.cellWith(SHOP, [local(await freePort())]);
    const { host, cell } = addressesOf(pid);
    ip(pid, "addr", "add", `${STRANGE}/32`, "dev", "lo");
    ip(pid, "route", "add", "198.19.0.1/32", "via", host, "src", cell);
    ip(pid, "route", "add", `${HOST_ADDRESS}/32`, "via", host, "src", STRANGE);
    const counts = countArrivals(
      "host",
      "prerouting",
      [`ip saddr ${cell}`, `ip saddr ${STRANGE}`],
      () => {
        knock(pid, "198.19.0.1", 80);
        knock(pid, HOST_ADDRESS, 80);
      },
    );
    expect(counts[0]).toBeGreaterThan(0);
    expect(counts[1]).toBe(0);
  });
});
