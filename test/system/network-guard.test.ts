// Rules that somebody else took away or changed come back by themselves, and nobody else's are touched.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import { createInterface } from "node:readline";

import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";

import { runCommand } from "../../src/command.js";
import type { NetworkPort } from "../../src/network/port.js";
import { watchWith } from "../../src/network/watch.js";
import {
  BLOG,
  HIDDEN_PORT,
  Lab,
  SHOP,
  HELPER,
  addressesOf,
  call,
  countArrivals,
  freePort,
  knock,
  local,
  nft,
  openNetwork,
} from "./network-lab.js";

/** The promise: within five seconds (fault R41). */
const BACK_MS = 5_000;

let lab: Lab;
let end: AbortController;
let told: (string | undefined)[];
let looks: number;
beforeEach(() => {
  lab = new Lab();
  end = new AbortController();
  told = [];
  looks = 0;
});
afterEach(async () => {
  end.abort();
  await lab.close();
});

/** A daemon's network that counts how often the guard has looked at the whole table. */
function openCounted(): NetworkPort {
  return openNetwork(async (argv, options) => {
    const text = await runCommand(argv, options);
    if (argv.includes("table")) looks += 1;
    return text;
  });
}

/** Returns when it has looked for the first time: what happens from then on is told of. */
async function guard(
  network: NetworkPort,
  desired: Parameters<NetworkPort["guard"]>[0] = new Map(),
) {
  looks = 0;
  await network.guard(desired, (by) => told.push(by), end.signal);
  // A daemon that takes cells over looks once for that.
  const before = looks;
  await vi.waitFor(() => {
    expect(looks).toBeGreaterThan(before);
  }, BACK_MS);
}

/** The child that hears for us. */
function ears(): number {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      if (words[1] === "--rules" && words[2] === lab.table) return Number(pid);
    } catch {
      // It has ended.
    }
  }
  throw new Error("nobody listens");
}

function listTable(): string {
  return nft("host", `list table inet ${lab.table}\n`);
}

describe("rules that somebody else changed", () => {
  const TABLE = `inet TABLE`;
  it.each([
    ["the table deleted", `delete table ${TABLE}`],
    ["the table flushed", `flush table ${TABLE}`],
    ["one chain flushed", `flush chain ${TABLE} output`],
    ["the published ports taken out", `flush map ${TABLE} published`],
    ["an accept put before the drop", `insert rule ${TABLE} input accept`],
    ["a policy changed", `chain ${TABLE} forward { policy drop; }`],
    [
      "a chain added",
      `add chain ${TABLE} mine { type filter hook input priority -5; policy drop; }`,
    ],
  ])("are as they were within five seconds: %s", async (_, command) => {
    const port = await freePort();
    const network = openCounted();
    const pid = await lab.cellWith(SHOP, [local(port)], network);
    await guard(network);
    const before = listTable();
    nft("host", `${command.replace("TABLE", lab.table)}\n`);
    await vi.waitFor(() => {
      expect(told).toHaveLength(1);
      expect(listTable()).toBe(before);
    }, BACK_MS);
    expect(told).toEqual([expect.stringMatching(/^nft\[\d+\]$/)]);
    expect(call("host", "127.0.0.1", port)).toContain("answered");
    const counts = countArrivals(pid, "input", [`tcp dport ${String(HIDDEN_PORT)}`], () => {
      expect(knock("host", addressesOf(pid).cell, HIDDEN_PORT)).toBe("dropped");
    });
    expect(counts).toEqual([0]);
  });

  it("come back without another table being touched, or their own change being told", async () => {
    const foreign = `test_foreign_${String(process.pid)}`;
    nft(
      "host",
      `table inet ${foreign} { chain input { type filter hook input priority 5; counter; }; }\n`,
    );
    onTestFinished(() => void nft("host", `delete table inet ${foreign}\n`));
    const showForeign = (): string =>
      nft("host", `list table inet ${foreign}\n`).replace(/packets.*/, "");
    const before = showForeign();
    const network = openCounted();
    await lab.cellWith(SHOP, [local(await freePort())], network);
    await guard(network);
    await lab.cellWith(BLOG, [], network);
    nft("host", `delete table inet ${lab.table}\n`);
    await vi.waitFor(() => {
      expect(told).toHaveLength(1);
    }, BACK_MS);
    await network.publish(SHOP, []);
    await network.detach(BLOG);
    await network.sweep([]);
    // Whatever these changes made the guard do is done when its next turn is.
    await network.sweep([]);
    expect(told).toHaveLength(1);
    expect(lab.tables()).toEqual([]);
    expect(showForeign()).toBe(before);
  });

  it("come back also when they were changed while nobody listened", async () => {
    const network = openCounted();
    await lab.cellWith(SHOP, [local(await freePort())], network);
    await guard(network);
    const first = ears();
    process.kill(first, "SIGKILL");
    nft("host", `delete table inet ${lab.table}\n`);
    await vi.waitFor(() => {
      expect(ears()).not.toBe(first);
      expect(told).toHaveLength(1);
    }, BACK_MS);
    expect(lab.tables()).toHaveLength(1);
  });
});

describe("a daemon that comes after another", () => {
  it("puts back the ports that are desired when all rules are gone", async () => {
    const port = await freePort();
    await lab.cellWith(SHOP, [local(port)]);
    nft("host", `delete table inet ${lab.table}\n`);
    await guard(openCounted(), new Map([[SHOP, [local(port)]]]));
    await vi.waitFor(() => {
      expect(told).toEqual([undefined]);
    }, BACK_MS);
    expect(call("host", "127.0.0.1", port)).toContain("answered");
  });

  it("leaves the ports as they are when the rules are there", async () => {
    const port = await freePort();
    await lab.cellWith(SHOP, [local(port)]);
    const before = listTable();
    const network = openCounted();
    await guard(network, new Map([[SHOP, [local(port, HIDDEN_PORT)]]]));
    nft("host", `flush table inet ${lab.table}\n`);
    await vi.waitFor(() => {
      expect(told).toHaveLength(1);
    }, BACK_MS);
    expect(listTable()).toBe(before);
  });
});

describe("the ear", () => {
  it("tells of a flush of all rules and of nothing that is not its table's", async () => {
    const pid = await lab.namespace();
    const argv = [`--net=/proc/${String(pid)}/ns/net`, "--", HELPER, "--rules", "henge"];
    const ear = spawn("/usr/bin/nsenter", argv, { stdio: ["pipe", "pipe", "inherit"] });
    onTestFinished(() => void ear.kill("SIGKILL"));
    const lines = createInterface(ear.stdout)[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe("watching");
    nft(pid, "add table ip henge; add table inet hengefoo; add table inet heng\n");
    nft(pid, "add table inet henge; add chain inet henge input; add rule inet henge input drop\n");
    expect((await lines.next()).value).toMatch(/^changed \d+ nft$/);
    nft(pid, "list ruleset; flush table ip henge; delete table inet heng\n");
    nft(pid, "flush ruleset\n");
    expect((await lines.next()).value).toMatch(/^changed \d+ nft$/);
    // Its writer gone, as when a daemon is killed, it ends without another word.
    ear.stdin.end();
    expect(await once(ear, "exit")).toEqual([0, null]);
    expect((await lines.next()).done).toBe(true);
  });

  it("is started again when it cannot run, with more and more time between", async () => {
    let losses = 0;
    watchWith("/bin/false")(
      "henge",
      () => undefined,
      () => (losses += 1),
      end.signal,
    );
    await vi.waitFor(() => {
      expect(losses).toBeGreaterThanOrEqual(3);
    }, 20_000);
    expect(losses).toBe(3);
  });
});
