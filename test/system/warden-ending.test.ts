// The end of a cell is not that of its warden: what the cell held is free when the answer comes, and a moment later nothing
// of the warden is left either.

import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { createServer } from "node:net";
import { basename, join } from "node:path";
import { isDeepStrictEqual } from "node:util";

import { describe, expect, it } from "vitest";

import { removeCgroup } from "../../src/kernel/cgroup-file.js";
import { openCgroups } from "../../src/kernel/cgroup.js";
import type { CgroupPort } from "../../src/kernel/port.js";
import type { CellName } from "../../src/spec/index.js";
import type { Warden } from "../../src/warden/port.js";
import { deadline, exitOf, isGone, unit, until, useWorld } from "./warden/fixture.js";

const LIVES = 100;
const INOTIFY = "anon_inode:inotify";
const world = useWorld();

function opens(pid: number, file: string): boolean {
  const directory = `/proc/${String(pid)}/fd`;
  return readdirSync(directory).some((fd) => readlinkSync(join(directory, fd)).endsWith(file));
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await new Promise<number>((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", () => {
      resolve((server.address() as { port: number }).port);
    });
  });
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listenOn(port: number): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", resolve);
  });
  await new Promise((resolve) => server.close(resolve));
}

describe("a cell that is freed", () => {
  it("is not watched for pressure before it has lived for a moment", async () => {
    const warden = await world().allocate();
    expect(opens(warden.wardenPid, "/cpu.pressure")).toBe(false);
    await until("it is watched", () => opens(warden.wardenPid, "/cpu.pressure"));
  });

  it("has given back the host's ports when the answer comes", async () => {
    const [early, late] = [await freePort(), await freePort()];
    const warden = await world().allocate({}, { network: "host" });
    const hold = async (name: string, port: number) => {
      const listen = [{ name, address: "127.0.0.1", port }];
      await warden.start(unit(name, ["/bin/sleep", "1000"], { listen }), deadline());
      await expect(listenOn(port)).rejects.toMatchObject({ code: "EADDRINUSE" });
    };
    // What is slow to close lies between the two, in whichever order the kernel closes.
    await hold("early", early);
    await until("it is watched", () => opens(warden.wardenPid, "/io.pressure"));
    await hold("late", late);
    await warden.free(deadline());
    await Promise.all([listenOn(early), listenOn(late)]);
  });
});

function isIn(pid: string, subtree: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, "utf8").includes(basename(subtree));
  } catch {
    return false; // It has ended meanwhile.
  }
}

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return ""; // The one that read the list.
  }
}

describe("a hundred lives", () => {
  async function live(cgroups: CgroupPort, cell: CellName): Promise<Warden> {
    const wardenCgroup = await cgroups.ensureWardenLeaf(cell);
    await cgroups.ensureCell(cell, {});
    const places = { cell, cgroup: cgroups.directoryOf(cell), wardenCgroup };
    const warden = await world().port.allocate(world().request(places), deadline());
    await exitOf(warden, "one", () => warden.start(unit("one", ["/bin/true"]), deadline()));
    return warden;
  }

  /** What would grow if a life left something: directories, processes, descriptors. */
  function found(subtree: string) {
    const cgroups = readdirSync(subtree, { recursive: true, withFileTypes: true });
    const wardens = readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && isIn(pid, subtree));
    // Node.js keeps one for all it watches.
    const descriptors = readdirSync("/proc/self/fd").filter((fd) => linkOf(fd) !== INOTIFY);
    return {
      cgroups: cgroups.filter((entry) => entry.isDirectory()).map(({ name }) => name),
      wardens: wardens.filter((pid) => !isGone(Number(pid))),
      runs: readdirSync(join(world().options.runDirectory, "cells")),
      descriptors: descriptors.length,
    };
  }

  it("leave cgroups, run directories, processes and descriptors as they were", async () => {
    const cgroups = await openCgroups({ subtreeName: `henge-test-${String(process.pid)}-lives` });
    const { subtree } = cgroups.facts;
    const cell = "life" as CellName;
    const lifeEnds = async (warden: Warden) => {
      await warden.free(deadline());
      await cgroups.remove(cell);
    };
    try {
      await lifeEnds(await live(cgroups, cell));
      const isOver = () =>
        found(subtree).cgroups.length === 1 && found(subtree).wardens.length === 0;
      await until("the first is over", isOver);
      const before = found(subtree);
      for (let life = 1; life <= LIVES; life++) {
        const warden = await live(cgroups, cell);
        if (life % 50 === 0)
          await until("it is watched", () => opens(warden.wardenPid, "pressure"));
        await lifeEnds(warden);
      }
      expect(await cgroups.list()).toEqual([]);
      await until("all is as it was", () => isDeepStrictEqual(found(subtree), before));
    } finally {
      await removeCgroup(subtree, performance.now() + 5_000);
    }
  });
});
