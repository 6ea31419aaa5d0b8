// Restarts that hand over, by the built daemon, under load: nothing fails, whatever happens to the next run or the daemon.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { underLoad } from "../../bench/load.js";
import { TestDaemon } from "../fixture/daemon.js";

const PORT = 13_471;

// Answers one request at a time and says who it is; ready as soon as nothing holds it back; TERM ends it between two.
const SERVER = `
use Errno; use Socket; $| = 1; my $ends; $SIG{TERM} = sub { $ends = 1 };
open(my $listener, '+<&=', 3) or die $!;
print "run $$\\n";
exit 3 if $ENV{BROKEN};
select(undef, undef, undef, 0.01) until $ends || !-e '/tmp/hold';
socket(my $n, AF_UNIX, SOCK_DGRAM, 0); connect($n, sockaddr_un($ENV{NOTIFY_SOCKET})) or die $!;
send($n, "READY=1", 0);
while (!$ends) {
  accept(my $c, $listener) or next;
  my $head = '';
  while ($head !~ /\\r\\n\\r\\n/) {
    my $read = sysread($c, $head, 4096, length $head);
    last unless $read || !defined $read && $!{EINTR};
  }
  syswrite($c, "HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok"); close $c;
}`;

const manifestOf = (env: string, timeout = "30s"): string => `
henge: 1
name: shop
root: host
network: own
publish: ["127.0.0.1:${String(PORT)}:3000"]
tmpfs: [/tmp]
units:
  web:
    argv: [/usr/bin/perl, -e, ${JSON.stringify(SERVER)}]
    env: { ${env} }
    user: nobody
    listen: { web: "0.0.0.0:3000" }
    readiness: notify
    handover: true
    start-timeout: ${timeout}
    stop: [TERM, 5s]
`;

let daemon: TestDaemon;
let manifest: string;

beforeAll(async () => {
  daemon = await TestDaemon.start("--pool-size", "1");
  manifest = join(daemon.root, "shop.yaml");
  await up("A: a");
});

afterAll(async () => {
  await daemon.remove();
});

async function up(env: string, timeout?: string): Promise<void> {
  await writeFile(manifest, manifestOf(env, timeout));
  await daemon.must("up", manifest);
}

/** Failures of requests sent all the while. */
async function failuresWhile(act: () => Promise<unknown>): Promise<readonly string[]> {
  const load = { url: `http://127.0.0.1:${String(PORT)}/`, perSecond: 100, aroundMs: 300 };
  return (await underLoad(load, act)).failures;
}

async function pid(): Promise<number | null> {
  return (await daemon.unit("shop", "web")).pid;
}

async function runs(): Promise<readonly number[]> {
  const isServer = async (process: number): Promise<boolean> =>
    (await readFile(`/proc/${String(process)}/cmdline`, "utf8").catch(() => "")).includes("perl");
  const found = await daemon.processes();
  const is = await Promise.all(found.map(isServer));
  return found.filter((_, index) => is[index]);
}

/** The next run is not ready until it is let go. */
async function hold(): Promise<void> {
  await daemon.must("exec", "shop", "--", "/usr/bin/touch", "/tmp/hold");
}

async function letGo(): Promise<void> {
  await daemon.must("exec", "shop", "--", "/usr/bin/rm", "-f", "/tmp/hold");
}

async function beginRestart(): Promise<{ readonly ended: Promise<unknown> }> {
  const before = (await runs()).length;
  const ended = daemon.henge("restart", "shop:web");
  await expect.poll(runs, { timeout: 20_000 }).toHaveLength(before + 1);
  return { ended };
}

describe("a restart that hands over", () => {
  it("fails no request, and leaves one run, which is another", async () => {
    const before = await pid();
    const steps: string[] = [];
    const failures = await failuresWhile(async () => {
      for (let time = 0; time < 3; time += 1) steps.push(await daemon.must("restart", "shop:web"));
    });
    expect(failures).toEqual([]);
    expect(steps[0]).toContain("hand-over shop:web");
    expect(await runs()).toEqual([await pid()]);
    expect(await pid()).not.toBe(before);
  });

  it("is what an edited manifest does, and its plan says so", async () => {
    await writeFile(manifest, manifestOf("A: b"));
    expect(await daemon.must("plan", manifest)).toBe("hand-over shop:web: env.A changed\n");
    expect(await failuresWhile(() => daemon.must("up", manifest))).toEqual([]);
    expect(await daemon.must("plan", manifest)).toBe("nothing to change\n");
  });

  it("leaves the log of both runs in one", async () => {
    await daemon.must("restart", "shop:web");
    const log = await readFile(join(daemon.root, "lib/logs/shop/web.log"), "utf8");
    const said = log
      .trim()
      .split("\n")
      .map((line) => /run \d+$/.exec(line)?.[0]);
    expect(said.length).toBeGreaterThanOrEqual(6); // one for each of the runs so far
    expect(new Set(said).size).toBe(said.length);
  });
});

describe("a next run that fails", () => {
  it("leaves the old one as it is, and the verb says why", async () => {
    const before = await pid();
    await writeFile(manifest, manifestOf("BROKEN: yes"));
    const failures = await failuresWhile(async () => {
      const { exit, stderr } = await daemon.henge("up", manifest);
      expect(exit).toBe(1);
      expect(stderr).toContain(
        "cannot hand over shop:web to a new run: exit 3; the run before goes on",
      );
      expect(stderr).toContain("henge logs shop:web --tail 50");
    });
    expect(failures).toEqual([]);
    expect(await runs()).toEqual([before]);
    await up("A: b");
    expect(await pid()).toBe(before);
  });

  it("is ended when it is not ready in time", async () => {
    await up("A: b", "2s");
    const before = await pid();
    await hold();
    const failures = await failuresWhile(async () => {
      const { exit, stderr } = await daemon.henge("restart", "shop:web");
      expect([exit, stderr]).toEqual([1, expect.stringContaining("not ready after 2 s")]);
    });
    expect(failures).toEqual([]);
    expect(await runs()).toEqual([before]);
    await letGo();
    await up("A: b");
  });
});

describe("a daemon that is killed during a hand-over", () => {
  it("has it finished by the next: the new run takes over when it is ready", async () => {
    const before = await pid();
    await hold();
    const failures = await failuresWhile(async () => {
      const { ended } = await beginRestart();
      await daemon.kill("SIGKILL");
      await ended;
      await daemon.begin();
      expect(await pid()).toBe(before);
      expect(await runs()).toHaveLength(2);
      await letGo();
      await daemon.until("shop", "web", ({ pid: now }) => now !== before);
      await expect.poll(runs, { timeout: 20_000 }).toHaveLength(1);
    });
    expect(failures).toEqual([]);
    expect(await runs()).toEqual([await pid()]);
    expect(await daemon.must("plan", manifest)).toBe("nothing to change\n");
  });

  it("loses nothing at whatever moment it dies", async () => {
    const failures = await failuresWhile(async () => {
      for (const afterMs of [0, 30, 60, 100, 200]) {
        const restarted = daemon.henge("restart", "shop:web");
        await daemon.logged("restart", afterMs);
        await daemon.kill("SIGKILL");
        await restarted;
        await daemon.begin();
        await expect.poll(runs, { timeout: 20_000 }).toHaveLength(1);
        await daemon.until("shop", "web", ({ ready }) => ready);
        expect(await runs()).toEqual([await pid()]);
      }
    });
    expect(failures).toEqual([]);
  });

  it("stops both runs when it is told to", async () => {
    await hold();
    const { ended } = await beginRestart();
    await daemon.kill("SIGKILL");
    await ended;
    await daemon.begin();
    await daemon.must("stop", "shop");
    expect(await runs()).toEqual([]);
    await letGo();
    await daemon.must("start", "shop");
    expect(await runs()).toEqual([await pid()]);
  });
});
