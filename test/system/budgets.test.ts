// The built daemon and CLI: what does not fit in a manifest's budgets, or in this host, is not begun.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import { TestDaemon } from "../fixture/daemon.js";

const MANIFEST = `
henge: 1
name: shop
root: host
limits: { memory.max: 1024TiB }
accept-missing-controllers: [memory]
budgets:
  connections: { unit: db, option: --max, reserved: 3, one-offs: { at-once: 1, each: 5 } }
units:
  db: { argv: [/bin/sh, -c, "exec sleep 1000", db, --max=20] }
  web: { argv: [/bin/sleep, "1000"], after: [db], nofile: 1024, uses: { connections: 10 } }
`;

let daemon: TestDaemon;
let manifest: string;

beforeAll(async () => {
  daemon = await TestDaemon.start("--pool-size", "1");
  manifest = join(daemon.root, "shop.yaml");
});

afterAll(async () => {
  await daemon.remove();
});

async function write(change: (text: string) => string = (text) => text): Promise<void> {
  await writeFile(manifest, change(MANIFEST));
}

it("shows what is asked beside what there is, and brings up what fits", async () => {
  await write();
  const { budgets } = JSON.parse(await daemon.must("plan", manifest, "-o", "json")) as {
    budgets: readonly Record<string, unknown>[];
  };
  expect(budgets).toMatchObject([
    { budget: "connections", asked: 18, doubled: 18, limit: 20, from: "--max of shop:db" },
    { budget: "nofile of shop:web", asked: 1024 },
    { budget: "memory.max", asked: 2 ** 50, unit: "bytes", over: true },
  ]);
  expect(await daemon.must("plan", manifest)).toMatch(
    /^connections +18 +18 +20 +--max of shop:db$/m,
  );
  expect(await daemon.must("up", manifest)).toContain("memory.max: 1024TiB asked of ");
});

it("refuses what does not fit with its sum, and changes nothing", async () => {
  const before = await daemon.ps();
  await write((text) => text.replace("connections: 10", "connections: 13"));
  for (const verb of ["plan", "up"]) {
    expect(await daemon.henge(verb, manifest)).toEqual({
      exit: 71,
      stdout: "",
      stderr:
        "henge: cannot fit shop: connections: 21 asked of 20 (--max of shop:db): reserved 3 + shop:web 13 + one-offs 1 at once 5\n" +
        "hint: ask for less, or raise the limit where it stands\n",
    });
  }
  expect(await daemon.ps()).toEqual(before);
});

it("refuses a limit that its server is not started with, at its place in the manifest", async () => {
  await write((text) =>
    text.replace("unit: db, option: --max,", "unit: db, option: --max, limit: 30,"),
  );
  const { exit, stderr } = await daemon.henge("validate", manifest);
  expect(exit).toBe(65);
  expect(stderr).toContain(
    'shop.yaml:8:50 budgets.connections.limit: argv of "db" says --max "20", not 30\n',
  );
});
