// A cell that is freed: nothing of it stays on the host, in whatever state it was.

import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { deadline, exitOf, isGone, unit, until, useWorld } from "./warden/fixture.js";

const SLEEP = ["/bin/sleep", "1000"];

function mounted(): string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "");
}

describe("a freed cell", () => {
  const world = useWorld();

  it("leaves no process, no mount, no cgroup leaf, no record", async () => {
    const before = mounted();
    const warden = await world().allocate();
    const { pid } = await warden.start(unit("sleep", SLEEP), deadline());
    const { wardenPid, initPid } = warden;
    await warden.free(deadline());
    expect([initPid, pid].filter((process) => !isGone(process))).toEqual([]);
    await until("its warden has ended", () => isGone(wardenPid));
    const added = mounted().filter((point) => !before.includes(point));
    expect(added.filter((point) => !point.startsWith("/tmp/"))).toEqual([]); // Other tests mount there.
    expect(readdirSync(join(world().root, "run/cells"))).toEqual([]);
    for (const group of [world().cgroup, world().wardenCgroup]) {
      expect(
        readdirSync(group, { withFileTypes: true }).filter((entry) => entry.isDirectory()),
      ).toEqual([]);
    }
  });

  it("is freed although it is frozen", async () => {
    const warden = await world().allocate();
    const { pid } = await warden.start(unit("sleep", SLEEP), deadline());
    writeFileSync(join(world().cgroup, "cgroup.freeze"), "1");
    await until("it is frozen", () =>
      readFileSync(join(world().cgroup, "cgroup.events"), "utf8").includes("frozen 1"),
    );
    await warden.free(deadline());
    expect(isGone(pid)).toBe(true);
  });

  it("leaves nothing when nobody waited for it to stand", async () => {
    for (const ms of [1, 5, 10, 20, 40]) {
      const abandoned = world().port.allocate(world().request(), AbortSignal.timeout(ms));
      const warden = await abandoned.catch((error: unknown) => {
        expect(error).toMatchObject({ code: "DEADLINE" });
      });
      await warden?.free(deadline());
      await until("nothing is left", () =>
        [world().cgroup, world().wardenCgroup].every((group) =>
          readFileSync(join(group, "cgroup.events"), "utf8").includes("populated 0"),
        ),
      );
      expect(await world().port.listLost()).toEqual([]);
    }
  });

  it("can be allocated again at once, even where its cgroups were killed before", async () => {
    for (let round = 0; round < 3; round++) {
      for (const group of [world().cgroup, world().wardenCgroup])
        writeFileSync(join(group, "cgroup.kill"), "1");
      const warden = await world().allocate();
      const exit = await exitOf(warden, "one", () =>
        warden.start(unit("one", ["/bin/true"]), deadline()),
      );
      expect(exit.exit.code).toBe(0);
      await warden.free(deadline());
    }
  });

  it("has a warden that lives outside its cgroup, in one of its own", async () => {
    const warden = await world().allocate();
    const pids = (group: string) => readFileSync(join(group, "cgroup.procs"), "utf8").trim();
    expect(pids(world().wardenCgroup)).toBe(String(warden.wardenPid));
    expect(pids(join(world().cgroup, "henge.init"))).toBe(String(warden.initPid));
    expect(pids(world().cgroup)).toBe("");
    expect(
      statSync(join(world().root, "run/cells", world().cell, "warden.sock")).mode & 0o777,
    ).toBe(0o600);
  });
});
