import { readFileSync, readdirSync } from "node:fs";
import type { Duplex } from "node:stream";

import { describe, expect, it } from "vitest";

import type { ExecRequest, ExecSession, Warden } from "../../src/warden/port.js";
import { deadline, unit, until, useWorld } from "./warden/fixture.js";

function command(script: string, change: Partial<ExecRequest> = {}): ExecRequest {
  return {
    argv: ["/bin/sh", "-c", script],
    env: {},
    envFiles: [],
    cwd: "/",
    user: "nobody",
    ...change,
  };
}

function collect(session: ExecSession) {
  const said = { stdout: "", stderr: "" };
  session.onOutput((stream, chunk) => {
    said[stream] += chunk.toString();
  });
  return said;
}

describe("a command run in a cell", () => {
  const world = useWorld();

  function leaves(): string[] {
    return readdirSync(world().cgroup).filter((name) => name.startsWith("henge.exec"));
  }

  async function open(
    script: string,
    change?: Partial<ExecRequest>,
  ): Promise<{ warden: Warden; session: ExecSession; said: ReturnType<typeof collect> }> {
    const warden = await world().allocate();
    const session = await warden.exec(command(script, change), deadline());
    return { warden, session, said: collect(session) };
  }

  it("has its outputs apart, its environment, user and directory, and its exact exit", async () => {
    const { session, said } = await open("id -un; echo $A; pwd; echo oops >&2; exit 42", {
      env: { A: "b" },
      cwd: "/usr",
    });
    expect(await session.exit).toMatchObject({ code: 42 });
    expect(said).toEqual({ stdout: "nobody\nb\n/usr\n", stderr: "oops\n" });
    await until("its leaf is gone", () => leaves().length === 0);
  });

  it("reads what is written to it, a lot of it too, until its end", async () => {
    const { session, said } = await open("wc -c");
    const chunk = Buffer.alloc(300_000, "x");
    for (let count = 0; count < 4; count++) {
      if (!session.write(chunk))
        await new Promise<void>((resume) => {
          session.onDrain(resume);
        });
    }
    session.end();
    expect(await session.exit).toMatchObject({ code: 0 });
    expect(said.stdout.trim()).toBe("1200000");
  });

  it("gives all of a long output before its exit", async () => {
    const { session, said } = await open("head -c 3000000 /dev/zero | tr '\\0' y; kill -9 $$");
    expect(await session.exit).toMatchObject({ signal: "SIGKILL" });
    expect(said.stdout.length).toBe(3_000_000);
  });

  it("has a terminal of the cell's own when asked for, which can be resized", async () => {
    const script =
      "tty; stty size; read line; echo got $line; stty size; ls -l $(tty) | cut -d' ' -f3; exit 3";
    const { session, said } = await open(script, { tty: { rows: 24, columns: 80 } });
    await until("it asks", () => said.stdout.includes("24 80"));
    session.resize(50, 132);
    session.write(Buffer.from("hello\n"));
    expect(await session.exit).toMatchObject({ code: 3 });
    expect(said.stdout.replaceAll("\r", "").split("\n").slice(0, 2)).toEqual([
      "/dev/pts/0",
      "24 80",
    ]);
    expect(said.stdout).toContain("got hello\r\n50 132\r\nnobody");
    expect(said.stderr).toBe("");
  });

  it("is killed with all it started when its client goes", async () => {
    const warden = await world().allocate();
    const abort = new AbortController();
    const session = await warden.exec(
      command("setsid sleep 1000 & echo up; sleep 1000"),
      abort.signal,
    );
    const said = collect(session);
    await until("it runs", () => said.stdout === "up\n");
    abort.abort();
    await expect(session.exit).rejects.toMatchObject({ code: "DEADLINE" });
    await until("its leaf is gone", () => leaves().length === 0);
  });

  it("does not wait for what it left behind", async () => {
    const { session } = await open("setsid sleep 1000 & exit 0");
    expect(await session.exit).toMatchObject({ code: 0 });
  });

  it("has its exit told though its input ends only after it", async () => {
    const { session } = await open("read line; exit 3");
    session.write(Buffer.from("\n"));
    // Nothing is read meanwhile, as when the daemon has much to do.
    const giveUpAt = performance.now() + 10_000;
    while (leaves().length > 0 && performance.now() < giveUpAt);
    for (let rounds = 0; rounds < 1_000; rounds += 1) leaves();
    session.end();
    expect(await session.exit).toMatchObject({ code: 3 });
    await until("its leaf is gone", () => leaves().length === 0);
  });

  it("that cannot be run says why", async () => {
    const warden = await world().allocate();
    const failed = warden.exec(command("", { argv: ["/no/such"] }), deadline());
    await expect(failed).rejects.toMatchObject({ op: "exec", errno: "ENOENT", path: "/no/such" });
    const noUser = warden.exec(command("", { user: "no-such" }), deadline());
    await expect(noUser).rejects.toMatchObject({ op: "user", errno: "ENOENT", path: "no-such" });
    await until("its leaf is gone", () => leaves().length === 0);
  });

  it("shares the cell with its units but keeps its own cgroup", async () => {
    const warden = await world().allocate();
    const { pid } = await warden.start(
      unit("u", ["/bin/sleep", "1000"], { user: "nobody" }),
      deadline(),
    );
    const session = await warden.exec(
      command(
        "grep ^0:: /proc/self/cgroup; for p in /proc/[0-9]*; do cat $p/comm; done | grep -c sleep",
      ),
      deadline(),
    );
    const said = collect(session);
    await session.exit;
    expect(pid).toBeGreaterThan(0);
    expect(said.stdout).toMatch(/^0::\/henge\.exec-\d+\n1\n$/);
  });

  it("ends with the cell", async () => {
    const { warden, session } = await open("sleep 1000");
    await warden.free(deadline());
    await expect(session.exit).rejects.toMatchObject({ code: "WRONG_STATE" });
  });
});

describe("a dialled port", () => {
  const world = useWorld();

  it("reaches a server in the cell's network, both ways and in bulk", async () => {
    const warden = await world().allocate();
    const perl =
      "use IO::Socket::INET; $s=IO::Socket::INET->new(LocalAddr=>'127.0.0.1:8080',Listen=>5,ReuseAddr=>1); $|=1; print qq(up\\n); while($c=$s->accept){ while(sysread($c,$b,65536)){ syswrite($c,$b) } close $c }";
    await warden.start(unit("echo", ["/usr/bin/perl", "-e", perl]), deadline());
    await until("it serves", async () => {
      try {
        (await warden.dial(8080, deadline())).destroy();
        return true;
      } catch {
        return false;
      }
    });
    const socket = await warden.dial(8080, deadline());
    socket.end(Buffer.alloc(500_000, "z"));
    let length = 0;
    for await (const chunk of socket) length += (chunk as Buffer).length;
    expect(length).toBe(500_000);
  });

  it("is let go of when its client goes, whatever the server does", async () => {
    const warden = await world().allocate();
    const perl =
      "use IO::Socket::INET; $s=IO::Socket::INET->new(LocalAddr=>'127.0.0.1:8080',Listen=>5); $c=$s->accept; sleep 1000";
    await warden.start(unit("mute", ["/usr/bin/perl", "-e", perl]), deadline());
    const handlers = () =>
      readFileSync(`${world().wardenCgroup}/cgroup.procs`, "utf8").trim().split("\n").length - 1;
    let dialled: Duplex | undefined;
    await until("it serves", async () => {
      dialled = await warden.dial(8080, deadline()).catch(() => undefined);
      return dialled !== undefined;
    });
    expect(handlers()).toBe(1);
    dialled?.destroy();
    await until("nobody handles it any more", () => handlers() === 0);
  });

  it("that nobody listens on is refused", async () => {
    const warden = await world().allocate();
    await expect(warden.dial(9, deadline())).rejects.toMatchObject({
      op: "connect",
      errno: "ECONNREFUSED",
    });
  });
});
