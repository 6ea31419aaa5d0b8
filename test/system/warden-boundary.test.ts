import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import type { UnitSpec, VolumeName } from "../../src/spec/index.js";
import { deadline, exitOf, isGone, output, unit, until, useWorld } from "./warden/fixture.js";

const SLEEP = ["/bin/sleep", "1000"];

function mounted(): string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "");
}

describe("the boundary of a cell", () => {
  const world = useWorld();

  it("has every namespace of its own, and none of them belongs to the cell", async () => {
    const warden = await world().allocate();
    const { pid } = await warden.start(unit("sleep", SLEEP), deadline());
    const names = ["pid", "mnt", "ipc", "uts", "cgroup", "net", "user"];
    const of = (process: string) =>
      names.map((name) => readlinkSync(`/proc/${process}/ns/${name}`));
    const inside = of(String(pid));
    of("self").forEach((link, index) => {
      expect(inside[index], names[index]).not.toBe(link);
    });
    // The cell's root has no right over them: they are the host's user namespace's.
    const [line] = await output(world(), warden, "hostname other");
    expect(line).toMatch(/must be root|permitted|Permission/);
  });

  it("maps 65,536 ids and nothing of the host's", async () => {
    const { uidBase } = world().request();
    const warden = await world().allocate();
    const [uids, gids] = await output(world(), warden, "cat /proc/self/uid_map /proc/self/gid_map");
    expect(uids?.trim().split(/\s+/)).toEqual(["0", String(uidBase), "65536"]);
    expect(gids).toBe(uids);
  });

  it("shows a unit only its own cgroup, by its own root", async () => {
    const warden = await world().allocate();
    const lines = await output(
      world(),
      warden,
      "grep ^0:: /proc/self/cgroup; ls /sys/fs/cgroup; echo x > /sys/fs/cgroup/cgroup.procs",
    );
    expect(lines[0]).toBe("0::/probe");
    expect(lines).toContain("henge.init");
    expect(lines.at(-1)).toMatch(/Read-only file system/);
  });

  it("cannot write to the host's root, and sees nothing of hidden directories", async () => {
    const warden = await world().allocate({ hidden: ["/usr/share", "/no/such/directory"] });
    const lines = await output(
      world(),
      warden,
      "ls /usr/share | wc -l; touch /usr/x /etc/x 2>&1; ls /tmp | wc -l",
    );
    expect(lines[0]).toBe("0");
    expect(lines[1]).toMatch(/Read-only file system/);
    expect(lines[2]).toMatch(/Read-only file system/);
    expect(lines[3]).toBe("0");
  });

  it("does not keep the host's other filesystems busy", async () => {
    const place = join(world().root, "disk");
    mkdirSync(place);
    execFileSync("mount", ["-t", "tmpfs", "tmpfs", place]);
    try {
      const warden = await world().allocate();
      expect(readFileSync(`/proc/${String(warden.initPid)}/mountinfo`, "utf8")).not.toContain(
        place,
      );
      await warden.free(deadline());
    } finally {
      execFileSync("umount", [place]);
    }
  });

  it("cannot make namespaces, not even as its root", async () => {
    const warden = await world().allocate();
    const lines = await output(
      world(),
      warden,
      "for f in -U -m -n -p -i -u -C -Ur; do unshare $f true && echo made $f; done 2>&1",
    );
    expect(lines.filter((line) => line.startsWith("made"))).toEqual([]);
    expect(lines.at(-1)).toMatch(/No space left on device|not permitted/);
  });

  it("masks what tells of the host, and keeps /proc/sys from being written", async () => {
    const warden = await world().allocate();
    const script =
      "cat /proc/kallsyms /proc/interrupts | wc -c; ls /sys/firmware | wc -l; echo 1 > /proc/sys/vm/drop_caches";
    const lines = await output(world(), warden, script);
    expect(lines.slice(0, 2)).toEqual(["0", "0"]);
    expect(lines[2]).toMatch(/Read-only file system/);
  });

  it("lets a unit bind port 80 in a network namespace of its own without a capability", async () => {
    const warden = await world().allocate();
    const perl =
      "use IO::Socket::INET; print IO::Socket::INET->new(LocalAddr=>'127.0.0.1:80',Listen=>1) ? 'bound' : $!";
    const lines = await output(world(), warden, `perl -e "${perl.replaceAll("$", "\\$")}"`, {
      user: "nobody",
    });
    expect(lines).toEqual(["bound"]);
  });

  it("joins the network of the cell it is nested in", async () => {
    const parent = await world().allocate();
    const child = world().request({ networkOf: parent.initPid }, { network: "parent" });
    mkdirSync(join(world().cgroup, "nested"));
    const request = {
      ...child,
      cell: `${world().cell}/nested` as typeof child.cell,
      cgroup: join(world().cgroup, "nested"),
    };
    const nested = await world().port.allocate(request, deadline());
    world().wardens.push(nested);
    const net = (pid: number) => readlinkSync(`/proc/${String(pid)}/ns/net`);
    expect(net(nested.initPid)).toBe(net(parent.initPid));
    await nested.free(deadline());
  });

  it("refuses a volume that is not the one it should be, and leaves nothing behind", async () => {
    const source = {
      path: join(world().root, "empty"),
      fsType: 0x9123683e,
      identity: "0".repeat(32),
      guid: "0".repeat(32),
    };
    mkdirSync(source.path);
    const mounts = [{ volume: "data" as VolumeName, path: "/tmp/data", readOnly: false }];
    const failed = world().allocate({ mountSources: [source] }, { mounts });
    await expect(failed).rejects.toMatchObject({
      op: "identify",
      errno: "ESTALE",
      path: source.path,
    });
    expect(readdirSync(join(world().root, "run/cells"))).toEqual([]);
    for (const group of [world().cgroup, world().wardenCgroup]) {
      // Its answer is the last thing the warden does but one: it still has to end.
      await until("its processes are gone", () =>
        readFileSync(join(group, "cgroup.events"), "utf8").includes("populated 0"),
      );
      expect(
        readdirSync(group, { withFileTypes: true }).filter((entry) => entry.isDirectory()),
      ).toEqual([]);
    }
  });

  it("mounts tmpfs of the size given, also below another", async () => {
    const tmpfs = [
      { path: "/tmp/a/b", sizeBytes: 1 << 20 },
      { path: "/tmp/a", sizeBytes: 2 << 20 },
    ];
    const warden = await world().allocate({}, { tmpfs });
    const lines = await output(
      world(),
      warden,
      "stat -f -c '%S %b' /tmp/a /tmp/a/b; stat -c %a /tmp/a/b",
    );
    expect(lines).toEqual(["4096 512", "4096 256", "1777"]);
  });

  it("shows single files of the host, read-only, and refuses what is no regular file", async () => {
    const source = join(world().root, "conf");
    writeFileSync(source, "secret\n", { mode: 0o600 });
    const warden = await world().allocate({}, { files: [{ source, path: "/tmp/app/.env" }] });
    const lines = await output(
      world(),
      warden,
      "cat /tmp/app/.env; stat -c '%u %a' /tmp/app/.env; echo x >> /tmp/app/.env",
    );
    expect(lines.slice(0, 2)).toEqual(["secret", "0 600"]);
    expect(lines[2]).toMatch(/Read-only file system/);
    await warden.free(deadline());
    const refused = world().allocate({}, { files: [{ source: world().root, path: "/tmp/x" }] });
    await expect(refused).rejects.toMatchObject({
      op: "stat",
      errno: "EINVAL",
      path: world().root,
    });
  });

  it("says which mount point is missing in a read-only root", async () => {
    const refused = world().allocate({}, { tmpfs: [{ path: "/no/such/place", sizeBytes: 4096 }] });
    await expect(refused).rejects.toMatchObject({
      op: "mount",
      errno: "ENOENT",
      path: "/no/such/place",
    });
  });

  it("does not let a manifest cover the kernel's file systems", async () => {
    for (const path of ["/", "/proc/x", "/dev", "/sys/fs", "/run/henge"]) {
      const refused = world().allocate({}, { tmpfs: [{ path, sizeBytes: 4096 }] });
      await expect(refused).rejects.toMatchObject({ op: "mount", errno: "EINVAL", path });
    }
  });
});

describe("what a unit is given", () => {
  const world = useWorld();

  async function lines(script: string, change: Partial<UnitSpec> = {}) {
    return await output(world(), await world().allocate(), script, change);
  }

  it("is exactly its environment", async () => {
    process.env["HENGE_LEAK"] = "leaked";
    expect((await lines("env -u _", { env: { A: "x y\nz" }, user: "nobody" })).sort()).toEqual(
      [
        ...[
          "A=x y",
          "z",
          "HOME=/nonexistent",
          "LOGNAME=nobody",
          "USER=nobody",
          "PWD=/",
          "SHELL=/usr/sbin/nologin",
        ],
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      ].sort(),
    );
    delete process.env["HENGE_LEAK"];
  });

  it("is its working directory, as PWD too", async () => {
    expect(await lines("pwd; echo $PWD", { cwd: "/usr/bin" })).toEqual(["/usr/bin", "/usr/bin"]);
  });

  it("is no descriptor but the three", async () => {
    expect(await lines("ls /proc/$$/fd")).toEqual(["0", "1", "2"]);
  });

  it("is no capability at all unless it is root, and then seven", async () => {
    const script = "grep -E '^(Cap|NoNewPrivs)' /proc/self/status | tr -s '\\t' ' '";
    const zero = "0000000000000000";
    expect(await lines(script, { user: "nobody" })).toEqual([
      ...["Inh", "Prm", "Eff", "Bnd", "Amb"].map((set) => `Cap${set}: ${zero}`),
      "NoNewPrivs: 1",
    ]);
  });

  it("is seven capabilities when it is root", async () => {
    const [prm, bnd] = await lines("grep -E '^Cap(Prm|Bnd)' /proc/self/status | cut -f2");
    expect([prm, bnd]).toEqual(["00000000000000fb", "00000000000000fb"]);
  });

  it("is limits of its own, and no core dump", async () => {
    expect(
      await lines("ulimit -n; ulimit -c; cat /proc/self/oom_score_adj", { nofile: 4096 }),
    ).toEqual(["4096", "0", "0"]);
  });

  it("is no other place in the line for the out-of-memory killer than everyone's", async () => {
    writeFileSync("/proc/self/oom_score_adj", "500");
    try {
      expect(await lines("cat /proc/self/oom_score_adj")).toEqual(["0"]);
    } finally {
      writeFileSync("/proc/self/oom_score_adj", "0");
    }
  });

  it("is no sight of other users' processes", async () => {
    const script = "set -- /proc/[0-9]*; echo $#; ls /proc/1 2>&1";
    expect(await lines(script, { user: "nobody" })).toEqual([
      "1", // The shell.
      expect.stringMatching(/No such file/),
    ]);
  });

  it("is default signals and an empty mask", async () => {
    const script = "grep -E '^Sig(Blk|Ign)' /proc/self/status | cut -f2";
    expect(await lines(script)).toEqual(["0000000000000000", "0000000000000000"]);
  });

  it("is outputs it can open anew as its own user", async () => {
    expect(await lines("echo again > /dev/stdout", { user: "nobody" })).toEqual(["again"]);
  });
});

describe("a freed cell", () => {
  const world = useWorld();

  it("leaves no process, no mount, no cgroup leaf, no record", async () => {
    const before = mounted();
    const warden = await world().allocate();
    const { pid } = await warden.start(unit("sleep", SLEEP), deadline());
    const { wardenPid, initPid } = warden;
    await warden.free(deadline());
    expect([wardenPid, initPid, pid].filter((process) => !isGone(process))).toEqual([]);
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
