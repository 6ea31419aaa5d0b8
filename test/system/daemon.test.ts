// The built daemon over real wardens, cgroups and networks: what happens when it, a warden or a unit is killed.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { TestDaemon } from "../fixture/daemon.js";

const HENGED = fileURLToPath(new URL("../../dist/src/main.js", import.meta.url));
const MANIFEST = (name: string): string => `
henge: 1
name: ${name}
root: host
network: own
volumes: { data: { quota: 64MiB } }
cells:
  db:
    mounts: [{ volume: data, path: /srv }]
    units:
      seed: { one-shot: true, argv: [/bin/sh, -c, "echo $$ >> /srv/seeds"] }
      db: { argv: [/bin/sleep, "1000"], after: [seed], stop: [TERM, 5s], clean-exits: [0, TERM] }
  web:
    units:
      web: { argv: [/bin/sleep, "1000"], env: { GREETING: "good  night" }, after: ["db:db"], restart: { policy: always, backoff-min: 200ms } }
`;

let daemon: TestDaemon;
let manifest: string;

beforeAll(async () => {
  daemon = await TestDaemon.start("--pool-size", "1");
  manifest = join(daemon.root, "shop.yaml");
  await writeFile(manifest, MANIFEST("shop"));
  await daemon.must("up", manifest);
});

afterAll(async () => {
  await daemon.remove();
});

async function pid(cell: string, unit: string): Promise<number> {
  const { pid: found } = await daemon.unit(cell, unit);
  if (found === null) throw new Error(`${cell}:${unit} does not run`);
  return found;
}

/** A zombie is dead: who adopted it may be slow to reap it. */
async function isAlive(process: number): Promise<boolean> {
  const stat = await readFile(`/proc/${String(process)}/stat`, "utf8").catch(() => "");
  return stat !== "" && stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3) !== "Z";
}

async function plan(): Promise<unknown> {
  return JSON.parse(await daemon.must("plan", manifest, "-o", "json"));
}

/** What runs in the root's cells, its wardens and their inits aside. */
async function programs(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const process of await daemon.processes()) {
    const argv = (await readFile(`/proc/${String(process)}/cmdline`, "utf8").catch(() => ""))
      .split("\0")
      .join(" ")
      .trim();
    if (argv !== "" && !argv.startsWith("henge-warden")) found.push(argv);
  }
  return found.sort();
}

describe("a daemon that is killed", () => {
  it("finds every cell as it was", async () => {
    const before = await daemon.ps();
    await daemon.kill("SIGKILL");
    await daemon.begin();
    expect(await daemon.ps()).toEqual(before);
    expect(await plan()).toEqual({ steps: [], budgets: [] });
  });

  it("goes on from whatever moment of a change it died at", async () => {
    for (const afterMs of [5, 60, 150, 300, 600]) {
      await daemon.must("down", "shop");
      const up = daemon.henge("up", manifest);
      // From the first request on: the client itself needs most of a second to get there.
      await daemon.logged("up", afterMs);
      await daemon.kill("SIGKILL");
      await daemon.begin();
      // Its client comes back to it, or asks again where nothing had begun: either way it is done.
      expect((await up).exit, `killed after ${String(afterMs)} ms`).toBe(0);
      await daemon.until("shop/web", "web", ({ state }) => state === "running");
      expect(await plan(), `killed after ${String(afterMs)} ms`).toEqual({
        steps: [],
        budgets: [],
      });
      expect(await programs()).toEqual(["/bin/sleep 1000", "/bin/sleep 1000"]);
    }
  });

  it("tells of an end it did not see, exactly, and restarts that unit once", async () => {
    const old = await pid("shop/web", "web");
    await daemon.kill("SIGKILL");
    process.kill(old, "SIGSEGV");
    await daemon.begin();
    const again = await daemon.until(
      "shop/web",
      "web",
      ({ state, pid: now }) => state === "running" && now !== old,
    );
    expect(again).toMatchObject({ restarts: 1 });
    await daemon.must("restart", "shop/web:web");
    await daemon.kill("SIGKILL");
    await daemon.begin();
    // What an operator asks for is no restart of its own, whichever daemon tells.
    expect(await daemon.unit("shop/web", "web")).toMatchObject({ restarts: 1 });
    const events = (await daemon.must("events", "-o", "json"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const exits = events.filter((event) => event["kind"] === "unit-exit" && event["pid"] === old);
    expect(exits).toHaveLength(1);
    expect(JSON.stringify(exits[0])).toContain("SIGSEGV");
  });

  it("finishes what it was told to bring up when it comes back", async () => {
    const slow = join(daemon.root, "slow.yaml");
    await writeFile(
      slow,
      `henge: 1\nname: slow\nroot: host\nnetwork: own\nunits:\n  first: { one-shot: true, argv: [/bin/sleep, "2"] }\n  second: { argv: [/bin/sleep, "1000"], after: [first] }\n`,
    );
    const up = daemon.henge("up", slow);
    await daemon.until("slow", "first", ({ state }) => state === "starting");
    await daemon.kill("SIGKILL");
    await daemon.begin();
    expect((await up).exit).toBe(0);
    await daemon.until("slow", "second", ({ state }) => state === "running");
    await daemon.must("down", "slow");
  });
});

describe("a second daemon", () => {
  it("is refused on the same root with the first one's pid, and the first is untouched", async () => {
    const second = spawn(process.execPath, [HENGED, "--root", daemon.root], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    second.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const [exit] = (await once(second, "exit")) as [number];
    expect(exit).toBe(75);
    expect(said).toContain(`another henged has this root already (pid ${String(daemon.pid)})`);
    expect(await plan()).toEqual({ steps: [], budgets: [] });
  });

  it("lives on another root beside the first, with a monolith of the same name", async () => {
    const other = await TestDaemon.start("--pool-size", "1");
    try {
      const copy = join(other.root, "shop.yaml");
      await writeFile(copy, MANIFEST("shop"));
      await other.must("up", copy);
      const web = await pid("shop/web", "web");
      await other.must("restart", "shop/web");
      expect(await pid("shop/web", "web")).toBe(web);
      expect((await other.unit("shop/web", "web")).pid).not.toBe(web);
    } finally {
      await other.remove();
    }
    expect(await plan()).toEqual({ steps: [], budgets: [] });
  });
});

describe("a cell", () => {
  it("is shown as unsupervised within a second when its warden is killed; stop and up still work", async () => {
    const { wardenPid } = JSON.parse(await daemon.must("get", "shop/web", "-o", "json")) as {
      wardenPid: number;
    };
    const web = await pid("shop/web", "web");
    process.kill(wardenPid, "SIGKILL");
    await delay(1_000);
    expect((await daemon.ps()).find(({ cell }) => cell === "shop/web")?.state).toBe("unsupervised");
    expect(await isAlive(web)).toBe(true);
    await daemon.must("stop", "shop/web");
    expect(await isAlive(web)).toBe(false);
    await daemon.must("up", manifest);
    expect((await daemon.unit("shop/web", "web")).state).toBe("running");
  });

  it("freezes and thaws with all nested in it", async () => {
    await daemon.must("freeze", "shop");
    expect((await daemon.ps()).map(({ state }) => state)).toEqual(["frozen", "frozen", "frozen"]);
    const refused = await daemon.henge("restart", "shop/web");
    expect(refused.exit).toBe(1);
    expect(refused.stderr).toContain("it is frozen");
    await daemon.must("thaw", "shop");
    expect((await daemon.ps()).map(({ state }) => state)).toEqual([
      "running",
      "running",
      "running",
    ]);
  });

  it("never starts on a volume that was replaced by another", async () => {
    await daemon.must("stop", "shop/db");
    await daemon.must("down", "shop");
    const pool = join(daemon.root, "run/pool/volumes/shop");
    await run("/usr/bin/btrfs", "subvolume", "delete", join(pool, "data"));
    await run("/usr/bin/btrfs", "subvolume", "create", join(pool, "data"));
    const refused = await daemon.henge("up", manifest);
    expect(refused.exit).toBe(1);
    expect(refused.stderr).toContain("cannot mount volume data of shop: it is the dataset");
    expect(await readdir(join(pool, "data"))).toEqual([]);
    await daemon.must("down", "shop", "--destroy-data", "--yes-destroy", "shop");
    await daemon.must("up", manifest);
  });
});

describe("a unit", () => {
  it("that ends at once for ever is in a crash loop, and costs the host nothing", async () => {
    const file = join(daemon.root, "bad.yaml");
    const restart = "{ policy: always, backoff-min: 50ms, backoff-max: 60s, crash-loop-after: 3 }";
    await writeFile(
      file,
      `henge: 1\nname: bad\nroot: host\nnetwork: own\nunits:\n  bad: { argv: [/bin/false], restart: ${restart}, readiness: { tcp: 9 } }\n`,
    );
    const up = await daemon.henge("up", file);
    expect(up.exit).toBe(1);
    expect(up.stderr).toContain("cannot bring up bad:bad: crashloop");
    const { restarts, exit } = await daemon.unit("bad", "bad");
    expect([restarts, exit?.code]).toEqual([2, 1]);
    await daemon.must("down", "bad");
  });

  it("can read its own cgroup, where programs look up their limits", async () => {
    const files = ["/sys/fs/cgroup/cgroup.events", "/sys/fs/cgroup/web/cgroup.procs"];
    expect(await daemon.must("exec", "shop/web", "--", "/bin/cat", ...files)).toContain(
      "populated 1",
    );
  });

  it("gives a command its environment, and passes its exit code on", async () => {
    expect((await daemon.henge("exec", "shop/web", "--", "/bin/sh", "-c", "exit 37")).exit).toBe(
      37,
    );
    expect((await daemon.henge("exec", "shop/web", "--", "/no/such/program")).exit).toBe(127);
    expect(
      await daemon.must("exec", "shop/web", "--", "/bin/sh", "-c", 'echo "$GREETING"; id -u'),
    ).toBe("good  night\n0\n");
  });
});

it("leaves nothing of a monolith behind that went down", async () => {
  await daemon.must("down", "shop");
  expect(await readdir(join(daemon.root, "run/cells")).catch(() => [])).toEqual([]);
  expect(await run("/usr/sbin/ip", "-o", "link")).not.toContain(`hg${daemon.key}`);
  expect(await run("/usr/sbin/nft", "list", "tables")).not.toContain(daemon.key);
  await daemon.must("up", manifest);
});

function run(file: string, ...argv: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(file, argv, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(stderr, { cause: error }));
    });
  });
}
