// A probe that is changed under a unit that runs, by the built daemon, and is still the changed one when that was killed.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import { TestDaemon } from "../fixture/daemon.js";

const manifestOf = (probe: string, interval = "100ms"): string => `
henge: 1
name: shop
root: host
network: own
units:
  db:
    argv: [/bin/sleep, "1000"]
    health: { exec: [${probe}], interval: ${interval}, failures: 1 }
    restart: { backoff-min: 100ms }
`;

let daemon: TestDaemon;
let manifest: string;

beforeAll(async () => {
  daemon = await TestDaemon.start("--pool-size", "1");
  manifest = join(daemon.root, "shop.yaml");
  await writeFile(manifest, manifestOf("/bin/true"));
  await daemon.must("up", manifest);
});

afterAll(async () => {
  await daemon.remove();
});

async function pid(): Promise<number | null> {
  return (await daemon.unit("shop", "db")).pid;
}

it("is in force at once, without another process, and outlives the daemon", async () => {
  const before = await pid();
  await writeFile(manifest, manifestOf("/bin/false"));
  expect(await daemon.must("plan", manifest)).toBe(
    'adjust shop:db: health.probe.argv[0] "/bin/true" → "/bin/false"\n',
  );
  await daemon.must("up", manifest);
  await daemon.until("shop", "db", ({ state }) => state === "degraded");
  await daemon.kill("SIGKILL");
  await daemon.begin();
  await daemon.until("shop", "db", ({ state }) => state === "degraded");
  expect(await daemon.must("plan", manifest)).toBe("nothing to change\n");
  expect(await pid()).toBe(before);
});

it("makes the unit well again when it is taken back", async () => {
  const before = await pid();
  await writeFile(manifest, manifestOf("/bin/true"));
  expect(await daemon.must("up", manifest)).toContain("adjust shop:db");
  await daemon.until("shop", "db", ({ state }) => state === "running");
  expect(await pid()).toBe(before);
});

it("comes with the start of a new run", async () => {
  const before = (await pid()) ?? 0;
  await writeFile(manifest, manifestOf("/bin/false", "200ms"));
  await daemon.must("up", manifest);
  process.kill(before, "SIGKILL");
  await daemon.until("shop", "db", (db) => db.state === "degraded" && db.pid !== before);
  expect(await daemon.must("plan", manifest)).toBe("nothing to change\n");
});
