// The built daemon and CLI: what does not fit in a manifest's budgets, or in this host, is not begun.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { TestDaemon } from "../fixture/daemon.js";

const HENGE = fileURLToPath(new URL("../../dist/src/cli/main.js", import.meta.url));
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
  web:
    argv: [/bin/sleep, "1000"]
    after: [db]
    user: nobody
    cwd: /usr
    env: { GREETING: hello, PATH: "/bin" }
    nofile: 1024
    uses: { connections: 10 }
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
  const { budgets } = JSON.parse(
    await daemon.must("plan", "--allow-missing-controllers", manifest, "-o", "json"),
  ) as {
    budgets: readonly Record<string, unknown>[];
  };
  expect(budgets).toMatchObject([
    { budget: "connections", asked: 18, doubled: 18, limit: 20, from: "--max of shop:db" },
    { budget: "nofile of shop:web", asked: 1024 },
    { budget: "memory.max", asked: 2 ** 50, unit: "bytes", over: true },
  ]);
  expect(await daemon.must("plan", "--allow-missing-controllers", manifest)).toMatch(
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

describe("a one-off", () => {
  const audited = async (): Promise<readonly Record<string, unknown>[]> =>
    (await readFile(join(daemon.root, "lib/audit.log"), "utf8"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ verb }) => String(verb).startsWith("run "));

  /** Waits until one has ended like this. */
  async function ended(how: RegExp): Promise<Record<string, unknown>> {
    const deadline = Date.now() + 10_000;
    for (;;) {
      const found = (await audited()).find(
        ({ result }) => typeof result === "string" && how.test(result),
      );
      if (found !== undefined) return found;
      if (Date.now() > deadline) throw new Error(`none ended like ${String(how)}`);
      await delay(20);
    }
  }

  it("has the unit's user, directory, environment and PATH, and its exit is passed on", async () => {
    await daemon.must("stop", "shop:web");
    const script = 'id -un; pwd; echo "$GREETING $EXTRA"; exit 37';
    const run = await daemon.henge(
      ...["run", "--env", "EXTRA=too", "shop:web", "--", "sh", "-c", script, "--password=canary"],
    );
    expect(run).toEqual({ exit: 37, stdout: "nobody\n/usr\nhello too\n", stderr: "" });
    expect(await ended(/^exit 37 after \d+ ms$/)).toMatchObject({
      ...{ verb: "run sh", target: "shop:web" },
    });
    expect(await readFile(join(daemon.root, "lib/audit.log"), "utf8")).not.toContain("canary");
    // A path is the unit's directory's, as a program says it: bin/tootctl.
    expect((await daemon.henge("run", "shop:web", "bin/true")).exit).toBe(0);
    expect((await daemon.henge("run", "shop:web", "bin/no-such-thing")).exit).toBe(127);
    const killed = await daemon.henge("run", "shop:web", "--", "sh", "-c", "kill -TERM $$");
    expect(killed.exit).toBe(143);
    await ended(/^SIGTERM after \d+ ms$/);
  });

  it("is one of as many as its budget keeps room for, and ends when its client goes away", async () => {
    const client = spawn(
      process.execPath,
      [
        HENGE,
        "--root",
        daemon.root,
        "run",
        "shop:web",
        "--",
        "sh",
        "-c",
        "echo up; exec sleep 999",
      ],
      { stdio: ["pipe", "pipe", "inherit"] },
    );
    await once(client.stdout, "data");
    expect(await daemon.henge("run", "shop:web", "true")).toEqual({
      exit: 75,
      stdout: "",
      stderr:
        "henge: cannot run in shop: 1 one-off runs, and connections keeps room for no more\n" +
        "hint: wait until one has ended\n",
    });
    // A unit that takes nothing of it is not counted.
    expect((await daemon.henge("run", "shop:db", "true")).exit).toBe(0);
    client.kill("SIGKILL");
    await once(client, "exit");
    await ended(/^ended with its client after \d+ ms$/);
    expect((await daemon.henge("run", "shop:web", "true")).exit).toBe(0);
  });
});
