import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import type { UnitName, UnitSpec } from "../../src/spec/index.js";
import type { Warden, WardenEvent } from "../../src/warden/port.js";
import { deadline, isGone, unit, until, useWorld } from "./warden/fixture.js";

const U = "u" as UnitName;

/** Says who it is to whoever connects, and READY=1 once `/tmp/go` is there. */
const SERVER = `
use Socket; $| = 1; $SIG{TERM} = sub { exit 0 };
open(my $listener, '+<&=', 3) or die $!;
print "up $$\\n";
select(undef, undef, undef, 0.01) until -e '/tmp/go';
socket(my $n, AF_UNIX, SOCK_DGRAM, 0); connect($n, sockaddr_un($ENV{NOTIFY_SOCKET})) or die $!;
send($n, "STATUS=serving\\nREADY=1", 0);
while (1) { accept(my $c, $listener) or next; syswrite($c, "$ENV{GENERATION}"); close $c; }`;

function server(generation: string, over: Partial<UnitSpec> = {}): UnitSpec {
  return unit("u", ["/usr/bin/perl", "-e", SERVER], {
    env: { GENERATION: generation },
    listen: [{ name: "web", address: "127.0.0.1", port: 3000 }],
    readiness: { kind: "notify" },
    ...over,
  });
}

describe("two runs of a unit", () => {
  const world = useWorld();

  function letThemBeReady(warden: Warden): void {
    writeFileSync(`/proc/${String(warden.initPid)}/root/tmp/go`, "");
  }

  function listenTo(warden: Warden): WardenEvent[] {
    const told: WardenEvent[] = [];
    warden.onEvent((event) => told.push(event));
    return told;
  }

  async function answers(warden: Warden, count: number): Promise<ReadonlySet<string>> {
    const seen = new Set<string>();
    for (let asked = 0; asked < count; asked++) {
      for await (const chunk of await warden.dial(3000, deadline())) seen.add(String(chunk));
    }
    return seen;
  }

  it("share the sockets, are told apart by their pids, and end one without the other", async () => {
    const warden = await world().allocate();
    const told = listenTo(warden);
    letThemBeReady(warden);
    const first = await warden.start(server("old"), deadline());
    await until("it is ready", () => told.some(({ kind }) => kind === "ready"));
    const next = await warden.startBeside(server("new"), deadline());
    await until("both are", () => told.filter(({ kind }) => kind === "ready").length === 2);
    expect(told.flatMap((event) => (event.kind === "ready" ? [event.pid] : []))).toEqual([
      first.pid,
      next.pid,
    ]);
    expect((await warden.state(deadline())).units).toEqual([
      expect.objectContaining({
        pid: first.pid,
        notified: true,
        starts: 2,
        successor: expect.objectContaining({
          pid: next.pid,
          notified: true,
          statusText: "serving",
          spec: server("new"),
        }) as unknown,
      }),
    ]);
    await warden.stopRun(U, first.pid, deadline());
    await until("the first is gone", () => told.some(({ kind }) => kind === "exit"));
    expect([isGone(first.pid), isGone(next.pid)]).toEqual([true, false]);
    expect(await answers(warden, 5)).toEqual(new Set(["new"]));
    const [left] = (await warden.state(deadline())).units;
    expect(left).toMatchObject({ pid: next.pid, spec: server("new"), exit: { code: 0 } });
    expect(left?.successor).toBeUndefined();
  });

  it("are two at most, and a second has to be asked for", async () => {
    const warden = await world().allocate();
    await warden.start(server("old"), deadline());
    const refused = { op: "start", errno: "EEXIST" };
    await expect(warden.start(server("new"), deadline())).rejects.toMatchObject(refused);
    await warden.startBeside(server("new"), deadline());
    await expect(warden.startBeside(server("third"), deadline())).rejects.toMatchObject(refused);
  });

  it("have the same sockets or there is no second", async () => {
    const warden = await world().allocate();
    letThemBeReady(warden);
    await warden.start(server("old"), deadline());
    const other = server("new", { listen: [{ name: "web", address: "127.0.0.1", port: 3001 }] });
    await expect(warden.startBeside(other, deadline())).rejects.toMatchObject({
      op: "listen",
      errno: "EINVAL",
    });
    expect(await answers(warden, 2)).toEqual(new Set(["old"]));
  });

  it("take turns, each with a leaf and a socket of its own, and leave nothing behind", async () => {
    const warden = await world().allocate();
    const told = listenTo(warden);
    letThemBeReady(warden);
    let { pid } = await warden.start(server("0"), deadline());
    for (let turn = 1; turn <= 5; turn++) {
      const next = await warden.startBeside(server(String(turn)), deadline());
      const isReady = (event: WardenEvent): boolean =>
        event.kind === "ready" && event.pid === next.pid;
      await until("the next is ready", () => told.some(isReady));
      const old = pid;
      await warden.stopRun(U, old, deadline());
      const hasEnded = (event: WardenEvent): boolean => event.kind === "exit" && event.pid === old;
      await until("the old is gone", () => told.some(hasEnded));
      pid = next.pid;
      expect(leaves()).toHaveLength(1);
    }
    await warden.stop(U, deadline());
    await until("all is gone", () => told.filter(({ kind }) => kind === "exit").length === 6);
    expect(leaves()).toEqual([]);
    expect(readdirSync(`/proc/${String(warden.initPid)}/root/run/henge`)).toEqual([]);
  });

  function leaves(): readonly string[] {
    return readdirSync(world().cgroup).filter((name) => name.startsWith("u"));
  }

  it("are both ended by a stop of the unit", async () => {
    const warden = await world().allocate();
    const told = listenTo(warden);
    const first = await warden.start(server("old"), deadline());
    const next = await warden.startBeside(server("new"), deadline());
    await warden.stop(U, deadline());
    await until("both are gone", () => told.filter(({ kind }) => kind === "exit").length === 2);
    expect([isGone(first.pid), isGone(next.pid)]).toEqual([true, true]);
    expect((await warden.exitsSince(0, deadline())).map(({ pid }) => pid).sort()).toEqual(
      [first.pid, next.pid].sort(),
    );
  });

  it("leave the first alone when the second cannot be started or ends", async () => {
    const warden = await world().allocate();
    letThemBeReady(warden);
    const first = await warden.start(server("old"), deadline());
    const missing = server("new", { argv: ["/no/such"] });
    await expect(warden.startBeside(missing, deadline())).rejects.toMatchObject({
      errno: "ENOENT",
    });
    const told = listenTo(warden);
    await warden.startBeside(server("new", { argv: ["/bin/false"] }), deadline());
    await until("it has ended", () => told.some(({ kind }) => kind === "exit"));
    expect((await warden.state(deadline())).units[0]).toMatchObject({
      pid: first.pid,
      spec: server("old"),
      running: true,
    });
    expect(await answers(warden, 2)).toEqual(new Set(["old"]));
  });

  it("write whole lines to one log, which is rotated for both", async () => {
    const warden = await world().allocate();
    const log = { maxBytes: 16_384, keep: 50 };
    const script = (who: string): string =>
      `i=0; while [ $i -lt 1000 ]; do echo ${who} $i; i=$((i+1)); done; exec sleep 1000`;
    const writer = (who: string): UnitSpec =>
      server(who, { argv: ["/bin/sh", "-c", script(who)], log });
    await warden.start(writer("old"), deadline());
    await warden.startBeside(writer("new"), deadline());
    const directory = world().port.logDirectoryOf(world().cell);
    const lines = (): readonly string[] =>
      readdirSync(directory).flatMap((name) =>
        readFileSync(join(directory, name), "utf8").split("\n").slice(0, -1),
      );
    // A file that is renamed meanwhile is read twice.
    await until("all is written", () => new Set(lines()).size >= 2000);
    const said = lines().map((line) => /^\S+Z stdout F (\w+ \d+)$/.exec(line)?.[1]);
    const wanted = ["old", "new"].flatMap((who) =>
      Array.from({ length: 1000 }, (_, index) => `${who} ${String(index)}`),
    );
    expect(said.sort()).toEqual(wanted.sort());
    for (const name of readdirSync(directory))
      expect(statSync(join(directory, name)).size).toBeLessThanOrEqual(16_384);
  });
});
