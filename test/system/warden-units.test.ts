// Units of a cell while they run and as they end: exits, stop steps, the sockets they are given, what they leave.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import type { UnitName } from "../../src/spec/index.js";
import type { Warden } from "../../src/warden/port.js";
import { deadline, exitOf, isGone, output, unit, until, useWorld } from "./warden/fixture.js";
import type { World } from "./warden/fixture.js";

const shell = (script: string) => ["/bin/sh", "-c", script];

function logOf(world: World, name: string): string {
  try {
    return readFileSync(join(world.port.logDirectoryOf(world.cell), `${name}.log`), "utf8");
  } catch {
    return "";
  }
}

async function saysIn(world: World, name: string, text: string): Promise<void> {
  await until(`${name} says ${text}`, () => logOf(world, name).includes(text));
}

describe("a unit that ends", () => {
  const world = useWorld();

  it("has its exact exit code or signal told", async () => {
    const warden = await world().allocate();
    for (const code of [0, 1, 137, 255]) {
      const { exit } = await exitOf(warden, "u", () =>
        warden.start(unit("u", shell(`exit ${String(code)}`)), deadline()),
      );
      expect(exit).toMatchObject({ code });
    }
    for (const signal of ["SIGTERM", "SIGKILL", "SIGABRT"]) {
      const script = shell(`kill -${signal.slice(3)} $$`);
      const { exit } = await exitOf(warden, "u", () => warden.start(unit("u", script), deadline()));
      expect(exit).toMatchObject({ signal });
      expect(exit.code).toBeUndefined();
    }
  });

  it("takes with it whatever it left behind, before its exit is told", async () => {
    const warden = await world().allocate();
    const script =
      "setsid sleep 1000 & setsid sh -c 'trap \"\" TERM; sleep 1000' & echo left; exit 3";
    const leaf = join(world().cgroup, "u");
    const { exit } = await exitOf(warden, "u", () =>
      warden.start(unit("u", shell(script)), deadline()),
    );
    expect(exit.code).toBe(3);
    expect(() => readFileSync(join(leaf, "cgroup.procs"))).toThrow("ENOENT");
  });

  it("can be started again in the very event of its exit", async () => {
    const warden = await world().allocate();
    const one = unit("u", ["/bin/true"]);
    for (let run = 0; run < 20; run++)
      await exitOf(warden, "u", () => warden.start(one, deadline()));
    const { units } = await warden.state(deadline());
    expect(units[0]).toMatchObject({ name: "u", running: false, starts: 20, spec: one });
  });
});

describe("stopping a unit", () => {
  const world = useWorld();

  async function startTrapping(warden: Warden, stop: Parameters<typeof unit>[2]) {
    const script =
      "trap 'echo int' INT; trap 'echo usr1' USR1; trap 'echo term; exit 5' TERM; echo up; while :; do sleep 0.01; done";
    await warden.start(unit("u", shell(script), stop), deadline());
    await saysIn(world(), "u", "up");
  }

  it("runs the steps in their order", async () => {
    const warden = await world().allocate();
    await startTrapping(warden, {
      stop: [
        { kind: "signal", signal: "SIGINT" },
        { kind: "wait", ms: 100 },
        { kind: "signal", signal: "SIGUSR1" },
        { kind: "wait", ms: 100 },
        { kind: "signal", signal: "SIGTERM" },
        { kind: "wait", ms: 10_000 },
      ],
    });
    const { exit } = await exitOf(warden, "u", () => warden.stop("u" as UnitName, deadline()));
    expect(exit.code).toBe(5);
    const said = logOf(world(), "u")
      .split("\n")
      .map((line) => line.split(" ")[3]);
    expect(said.filter((word) => word !== undefined)).toEqual(["up", "int", "usr1", "term"]);
  });

  it("does not sit out a wait once the main process has ended", async () => {
    const warden = await world().allocate();
    await startTrapping(warden, {
      stop: [
        { kind: "signal", signal: "SIGTERM" },
        { kind: "wait", ms: 60_000 },
      ],
    });
    const begin = Date.now();
    await exitOf(warden, "u", () => warden.stop("u" as UnitName, deadline()));
    expect(Date.now() - begin).toBeLessThan(8000);
  });

  it("kills after the last step what ignores every signal", async () => {
    const warden = await world().allocate();
    const script = shell(
      "trap '' TERM INT HUP; setsid sleep 1000 & echo up; while :; do sleep 0.01; done",
    );
    await warden.start(
      unit("u", script, {
        stop: [
          { kind: "signal", signal: "SIGTERM" },
          { kind: "wait", ms: 50 },
        ],
      }),
      deadline(),
    );
    await saysIn(world(), "u", "up");
    const { exit } = await exitOf(warden, "u", () => warden.stop("u" as UnitName, deadline()));
    expect(exit.signal).toBe("SIGKILL");
  });

  it("goes on when the client is gone", async () => {
    const warden = await world().allocate();
    await startTrapping(warden, {
      stop: [
        { kind: "signal", signal: "SIGUSR1" },
        { kind: "wait", ms: 200 },
        { kind: "signal", signal: "SIGTERM" },
        { kind: "wait", ms: 5000 },
      ],
    });
    await warden.stop("u" as UnitName, deadline());
    warden.close();
    await saysIn(world(), "u", "term");
  });

  it("works in a frozen cell", async () => {
    const warden = await world().allocate();
    await warden.start(
      unit("u", ["/bin/sleep", "1000"], { stop: [{ kind: "signal", signal: "SIGTERM" }] }),
      deadline(),
    );
    writeFileSync(join(world().cgroup, "cgroup.freeze"), "1");
    await exitOf(warden, "u", () => warden.stop("u" as UnitName, deadline()));
    writeFileSync(join(world().cgroup, "cgroup.freeze"), "0");
  });

  it("is refused for a unit that does not run", async () => {
    const warden = await world().allocate();
    await expect(warden.stop("u" as UnitName, deadline())).rejects.toMatchObject({
      op: "stop",
      errno: "ESRCH",
      path: "u",
    });
  });
});

describe("sockets given to a unit", () => {
  const world = useWorld();

  it("tell readiness and status of a unit that notifies", async () => {
    // A daemon's own directory has the name of the one the sockets are in.
    const warden = await world().allocate({ hidden: ["/run/henge"] });
    const perl =
      "use Socket; socket(S,AF_UNIX,SOCK_DGRAM,0); connect(S,sockaddr_un($ENV{NOTIFY_SOCKET})) or die $!; send(S,qq(STATUS=half way\\nREADY=1\\n),0); sleep 1000";
    const told: string[] = [];
    warden.onEvent((event) => told.push(event.kind === "status" ? event.text : event.kind));
    await warden.start(
      unit("u", ["/usr/bin/perl", "-e", perl], { readiness: { kind: "notify" }, user: "nobody" }),
      deadline(),
    );
    await until("both are told", () => told.length === 2);
    expect(told).toEqual(["half way", "ready"]);
    const { units } = await warden.state(deadline());
    expect(units[0]).toMatchObject({ running: true, notified: true, statusText: "half way" });
  });

  it("cannot be replaced by the unit", async () => {
    const warden = await world().allocate();
    const script =
      "rm $NOTIFY_SOCKET; mv /run/henge /run/other; rmdir /run/henge; ls -d /run/henge";
    const lines = await output(world(), warden, script, { readiness: { kind: "notify" } });
    expect(lines.at(-1)).toBe("/run/henge");
    expect(lines).toHaveLength(4);
  });

  it("are the listening ones from descriptor 3 on, and stay across a restart", async () => {
    const warden = await world().allocate();
    const perl =
      "open(L,'+<&=',3); print join(' ', map { qq($_=$ENV{$_}) } qw(LISTEN_FDS LISTEN_FDNAMES)), ' ', $ENV{LISTEN_PID}==$$ ? 'mine' : 'not mine', qq(\\n); accept(C,L); syswrite(C,qq(hello $$)); close C;";
    const one = unit("u", ["/usr/bin/perl", "-e", `$|=1; ${perl}`], {
      listen: [{ name: "web", address: "127.0.0.1", port: 3000 }],
    });
    const answers: string[] = [];
    for (let run = 0; run < 2; run++) {
      const exit = exitOf(warden, "u", () => warden.start(one, deadline()));
      await until("it listens", () => logOf(world(), "u").split("\n").length === run + 2);
      const socket = await warden.dial(3000, deadline());
      for await (const chunk of socket) answers.push(String(chunk).slice(0, 5));
      await exit;
    }
    expect(answers).toEqual(["hello", "hello"]);
    expect(logOf(world(), "u")).toContain("LISTEN_FDS=1 LISTEN_FDNAMES=web mine");
    // Held while nothing runs: a client waits in the backlog, and the next run answers it.
    const early = await warden.dial(3000, deadline());
    await exitOf(warden, "u", () => warden.start(one, deadline()));
    for await (const chunk of early) answers.push(String(chunk).slice(0, 5));
    expect(answers).toHaveLength(3);
    await warden.start(unit("u", ["/bin/sleep", "1000"]), deadline());
    await expect(warden.dial(3000, deadline())).rejects.toMatchObject({
      op: "connect",
      errno: "ECONNREFUSED",
    });
  });
});

describe("the processes of a cell", () => {
  const world = useWorld();

  it("that lose their parent are reaped", async () => {
    const warden = await world().allocate();
    const script =
      "i=0; while [ $i -lt 200 ]; do (sh -c : & ) ; i=$((i+1)); done; sleep 0.2; ls /proc | grep -c '^[0-9]'";
    const [count] = await output(world(), warden, script);
    expect(Number(count)).toBeLessThan(10);
  });

  it("end with their PID 1, and the cell then counts as lost", async () => {
    const warden = await world().allocate();
    const { pid } = await warden.start(unit("u", ["/bin/sleep", "1000"]), deadline());
    const told: string[] = [];
    warden.onEvent((event) => told.push(event.kind));
    process.kill(warden.initPid, "SIGKILL");
    await until("it is lost", () => told.includes("lost"));
    expect(told).toEqual(["exit", "lost"]);
    expect(isGone(pid)).toBe(true);
    expect(await world().newPort().listLost()).toEqual([world().cell]);
  });
});
