// Wardens started by the spawner: cells as from the daemon itself, but for what the daemon is confined by.

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { describe, expect, it, onTestFinished } from "vitest";

import { probeBySpawner } from "../../src/warden/spawner-client.js";
import { TestDaemon } from "../fixture/daemon.js";
import { HELPER, deadline, output, until, useWorld } from "./warden/fixture.js";
import { askAsStranger, dial, hear, startSpawner, withLength } from "./warden/spawner.js";

const CLIENT = pathToFileURL(join(import.meta.dirname, "../../dist/src/warden/client.js")).href;
// A daemon in a sandbox: allocates a cell, tells its warden's pid and what it is confined by itself.
const CONFINED = `
  const { createWardenPort } = await import(${JSON.stringify(CLIENT)});
  const port = createWardenPort(JSON.parse(process.argv[1]));
  const warden = await port.allocate(JSON.parse(process.argv[2]), AbortSignal.timeout(10_000));
  const own = (await import("node:fs")).readFileSync("/proc/self/status", "utf8");
  console.log(JSON.stringify({ pid: warden.wardenPid, own }));
  warden.close();`;
const CONFINEMENT = ["--no-new-privs", "--bounding-set", "-sys_admin,-net_admin,-sys_resource"];
const REQUEST_DEADLINE_MS = 10_000;
const CHILDREN_MAX = 64;

const world = useWorld();

function open() {
  return startSpawner(world().root);
}

/** NoNewPrivs, Seccomp and CapBnd. */
function confinementOf(status: string): readonly string[] {
  return status.match(/^(?:NoNewPrivs|Seccomp|CapBnd):.*$/gm) ?? [];
}

function statusOf(pid: number): string {
  return readFileSync(`/proc/${String(pid)}/status`, "utf8");
}

/** Without what is closed meanwhile: the listing itself, if the process is this one. */
function descriptorsOf(pid: number): readonly string[] {
  const directory = `/proc/${String(pid)}/fd`;
  return readdirSync(directory).flatMap((fd) => {
    try {
      return readlinkSync(join(directory, fd));
    } catch {
      return [];
    }
  });
}

describe("a cell from the spawner", () => {
  it("stands as one from the daemon itself does", async () => {
    const port = world().newPort({ spawnerSocket: (await open()).socket });
    const warden = await port.allocate(world().request(), deadline());
    world().wardens.push(warden);
    expect(await output(world(), warden, "echo here")).toEqual(["here"]);
    await warden.free(deadline());
    expect(readdirSync(join(world().root, "run/cells"))).toEqual([]);
  });

  it("joins the network of the cell it is nested in", async () => {
    const spawner = await open();
    const port = world().newPort({ spawnerSocket: spawner.socket });
    const parent = await world().allocate();
    const child = world().request({ networkOf: parent.initPid }, { network: "parent" });
    const cgroup = join(world().cgroup, "nested");
    mkdirSync(cgroup);
    const cell = `${world().cell}/nested` as typeof child.cell;
    const nested = await port.allocate({ ...child, cell, cgroup }, deadline());
    world().wardens.push(nested);
    const network = (pid: number) => readlinkSync(`/proc/${String(pid)}/ns/net`);
    expect(network(nested.initPid)).toBe(network(parent.initPid));
    await nested.free(deadline());
    await parent.free(deadline());
    const late = port.allocate({ ...child, cell, cgroup }, deadline());
    await expect(late).rejects.toMatchObject({ errno: "ESRCH" });
  });

  it("is confined by nothing of what confines the daemon", async () => {
    const spawner = await open();
    const options = JSON.stringify({ ...world().options, spawnerSocket: spawner.socket });
    const node = [process.execPath, "--input-type=module", "-e", CONFINED, options];
    const argv = [...CONFINEMENT, ...node, JSON.stringify(world().request())];
    const said = execFileSync("setpriv", argv, { encoding: "utf8" });
    const { pid, own } = JSON.parse(said) as { pid: number; own: string };
    expect(confinementOf(own)).toContain("NoNewPrivs:\t1");
    expect(confinementOf(statusOf(pid))).toEqual(confinementOf(statusOf(spawner.pid)));
    expect(confinementOf(statusOf(pid))).toContain("NoNewPrivs:\t0");
    const limits = (of: number) => readFileSync(`/proc/${String(of)}/limits`, "utf8");
    expect(limits(pid)).toBe(limits(spawner.pid));
  });

  it("has no descriptor and no variable of the daemon's or the spawner's", async () => {
    const spawner = await open();
    const port = world().newPort({ spawnerSocket: spawner.socket });
    const warden = await port.allocate(world().request(), deadline());
    world().wardens.push(warden);
    const held = descriptorsOf(warden.wardenPid);
    const theirs = [...descriptorsOf(spawner.pid), ...descriptorsOf(process.pid)];
    const shared = held.filter((link) => theirs.includes(link) && link !== "/dev/null");
    expect(shared.filter((link) => !/^(?:anon_inode|net):/.test(link))).toEqual([]);
    expect(held.filter((link) => link.includes("memfd:henge-request"))).toEqual([]);
    expect(readFileSync(`/proc/${String(warden.wardenPid)}/environ`, "utf8")).toBe("");
  });

  it("is none at all when the spawner does not answer: the daemon starts none itself", async () => {
    const socket = join(world().root, "nobody.sock");
    const daemon = await TestDaemon.start("--pool-size", "1", "--spawner", socket);
    onTestFinished(() => daemon.remove());
    const file = join(world().root, "henge.yaml");
    writeFileSync(file, "henge: 1\nname: lone\nroot: host\n");
    const { exit, stderr } = await daemon.henge("up", file);
    expect(stderr).toContain(
      `cannot connect ${socket}: there is no such file or directory (ENOENT)`,
    );
    expect(exit).toBe(71);
  });

  it("is taken down when nobody waits for it any more", async () => {
    const port = world().newPort({ spawnerSocket: (await open()).socket });
    for (const ms of [1, 4, 16]) {
      const allocated = port.allocate(world().request(), AbortSignal.timeout(ms));
      await allocated.then((warden) => warden.free(deadline())).catch(() => undefined);
      await until("the cell is empty", () =>
        readFileSync(join(world().cgroup, "cgroup.events"), "utf8").includes("populated 0"),
      );
    }
  });
});

describe("a probe", () => {
  it("says what the kernel can do where wardens are run", async () => {
    const run = probeBySpawner((await open()).socket);
    const said = await run([HELPER, "--probe", "facilities", "-"]);
    expect(said).toMatch(/^user namespace\tok\t/m);
    expect(said).toMatch(/^clone3\t/m);
  });

  it("cannot be had where there is no spawner", async () => {
    const run = probeBySpawner(join(world().root, "nobody.sock"));
    await expect(run([HELPER, "--probe"])).rejects.toMatchObject({
      op: "connect",
      errno: "ENOENT",
    });
  });

  it("is told that it was not to be had in time", async () => {
    const spawner = await open();
    const silent = await Promise.all(Array.from({ length: CHILDREN_MAX }, () => dial(spawner)));
    await until("it is full", () => spawner.children().length >= CHILDREN_MAX);
    const run = probeBySpawner(spawner.socket)([HELPER, "--probe"], { timeoutMs: 100 });
    await expect(run).rejects.toMatchObject({ code: "DEADLINE" });
    for (const socket of silent) socket.destroy();
  });
});

describe("a spawner with bad company", () => {
  it("refuses whoever is not root of the host, without a word", async () => {
    const spawner = await open();
    const said = await askAsStranger(spawner, withLength("garbage\0"));
    expect(said).toBe("connected\nclosed\n");
  });

  it("answers what is no request, and goes on", async () => {
    const spawner = await open();
    const descriptors = descriptorsOf(spawner.pid).length;
    const own = String(process.pid);
    const bad = [
      Buffer.alloc(4), // nothing
      Buffer.from("ffffffff", "hex"), // 4 GiB
      Buffer.from("01001000", "hex"), // a byte more than a MiB
      withLength("warden\0cell"), // no end
      withLength("warden\0cell\0"), // too little
      withLength("other\0cell\0\0"),
      withLength("probe\0" + "word\0".repeat(9)),
      withLength("warden\0\0\0"),
      withLength("warden\0--manager\0\0"),
      withLength("warden\0cell\0self 1\0"),
      withLength(`warden\0cell\0${own}\0`),
      withLength(`warden\0cell\0${own} 1\0`), // another process had this pid
      withLength("warden\0cell\0" + "9".repeat(40) + " 1\0"),
      withLength("warden\0cell\0\0"), // no directives: this the warden says
      withLength(`warden\0cell\0\0${"x".repeat(1 << 19)}\0`),
    ];
    for (const request of bad) {
      const socket = await dial(spawner);
      socket.write(request);
      expect((await hear(socket))[0], request.toString("latin1", 0, 40)).toBe("failed");
    }
    await until("all is over", () => spawner.children().length === 0);
    expect(descriptorsOf(spawner.pid)).toHaveLength(descriptors);
  });

  it("is not held up by those who say nothing, and bears with them for ten seconds", async () => {
    const spawner = await open();
    const port = world().newPort({ spawnerSocket: spawner.socket });
    const began = Date.now();
    const silent = await dial(spawner);
    silent.write(Buffer.from("10", "hex"));
    const over = hear(silent);
    const warden = await port.allocate(world().request(), deadline());
    await warden.free(deadline());
    expect(Date.now() - began).toBeLessThan(REQUEST_DEADLINE_MS);
    expect(await over).toEqual([""]);
    expect(Date.now() - began).toBeGreaterThanOrEqual(REQUEST_DEADLINE_MS - 100);
    await until("it is gone", () => spawner.children().length === 0);
  });

  it("has no more than 64 of them in hand", async () => {
    const spawner = await open();
    const port = world().newPort({ spawnerSocket: spawner.socket });
    const silent = await Promise.all(Array.from({ length: CHILDREN_MAX + 6 }, () => dial(spawner)));
    await until("it is full", () => spawner.children().length >= CHILDREN_MAX);
    const allocated = port.allocate(world().request(), deadline());
    expect(spawner.children()).toHaveLength(CHILDREN_MAX);
    for (const socket of silent) socket.destroy();
    await (await allocated).free(deadline());
  });
});
