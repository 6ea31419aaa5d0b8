// What a cell is bounded by on a real kernel: its namespaces, ids and network, and what it sees of the host.

import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import type { VolumeName } from "../../src/spec/index.js";
import { deadline, output, unit, until, useWorld } from "./warden/fixture.js";

const SLEEP = ["/bin/sleep", "1000"];

const NULL_DEVICE = "1:3";
const MASKED_FILES = [
  ...["interrupts", "kcore", "keys", "latency_stats", "sched_debug"],
  ...["timer_list", "timer_stats", "kallsyms", "kpagecount", "kpageflags", "kpagecgroup"],
  ...["vmallocinfo", "slabinfo", "iomem", "ioports"],
].map((name) => `/proc/${name}`);
const MASKED_DIRECTORIES = [
  ...["/proc/acpi", "/proc/asound", "/proc/scsi", "/sys/firmware", "/sys/kernel/debug"],
  ...["/sys/kernel/tracing", "/sys/kernel/security", "/sys/fs/bpf", "/sys/fs/pstore"],
  ...["/sys/module", "/sys/class/block", "/sys/devices/virtual/powercap"],
];
const READ_ONLY = ["sys", "bus", "fs", "irq", "driver", "mtrr", "sysrq-trigger"].map(
  (name) => `/proc/${name}`,
);

// Root with every capability but the use of CAP_SYS_PTRACE, reading address 1 of a process: capset(2) with number 19
// taken out of the effective set, then process_vm_readv(2). EFAULT says that it was let in.
const READ_MEMORY = `
  my ($head, $sets) = (pack("LL", 0x20080522, 0), "\\0" x 24);
  syscall(125, $head, $sets) == 0 or die $!;
  my @sets = unpack("L6", $sets);
  $sets[0] &= ~(1 << 19);
  syscall(126, $head, pack("L6", @sets)) == 0 or die $!;
  my $byte = "\\0";
  my $local = pack("pQ", $byte, 1);
  my $remote = pack("QQ", 1, 1);
  my $pid = int shift;
  use Errno;
  my $read = syscall(310, $pid, $local, 1, $remote, 1, 0);
  print $read >= 0 ? "read" : $!{EPERM} ? "EPERM" : $!{EFAULT} ? "EFAULT" : $!;`;

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

  it("covers each file and directory of the kernel's that is masked", async () => {
    const warden = await world().allocate();
    const script = (path: string) =>
      `[ ! -e ${path} ] || echo ${path} $(stat -f -c %T ${path}) $(stat -c %t:%T ${path})`;
    const masked = [...MASKED_FILES, ...MASKED_DIRECTORIES];
    const lines = await output(world(), warden, masked.map(script).join("; "));
    expect(lines.length).toBeGreaterThan(8);
    // A new sysfs has nothing mounted in it: there a mask is the second line, for what a kernel may put in itself.
    const bare = lines.filter((line) => {
      const [path = "", type, device] = line.split(" ");
      return type !== "tmpfs" || (MASKED_FILES.includes(path) && device !== NULL_DEVICE);
    });
    expect(bare).toEqual([]);
  });

  it("keeps what would change the host's kernel in /proc from being written", async () => {
    const warden = await world().allocate();
    const script = (path: string) =>
      `[ ! -e ${path} ] || echo ${path} $(grep " ${path} " /proc/self/mountinfo | cut -d " " -f 6)`;
    const lines = await output(world(), warden, READ_ONLY.map(script).join("; "));
    expect(lines.length).toBeGreaterThan(3);
    expect(lines.filter((line) => !/ ro\b/.test(line))).toEqual([]);
  });

  it("has a /dev that cannot be added to", async () => {
    const warden = await world().allocate();
    expect((await output(world(), warden, "touch /dev/x"))[0]).toMatch(/Read-only file system/);
  });

  it("honours no setuid bit and no device node of the host's root", async () => {
    const warden = await world().allocate();
    const [options] = await output(
      world(),
      warden,
      "grep -m 1 ' / / ' /proc/self/mountinfo | cut -d ' ' -f 6",
    );
    expect(options?.split(",")).toEqual(expect.arrayContaining(["ro", "nosuid", "nodev"]));
  });

  it("has a PID 1 without any capability", async () => {
    const { initPid } = await world().allocate();
    const status = readFileSync(`/proc/${String(initPid)}/status`, "utf8");
    const sets = [...status.matchAll(/^Cap(Inh|Prm|Eff|Amb):\t(\w+)$/gm)].map(([, , bits]) => bits);
    expect(sets).toEqual(Array.from({ length: 4 }, () => "0".repeat(16)));
  });

  it("has a warden whose memory a root that may not trace it cannot read", async () => {
    const { wardenPid } = await world().allocate();
    expect(execFileSync("perl", ["-e", READ_MEMORY, String(wardenPid)]).toString()).toBe("EPERM");
    const other = spawn("/bin/sleep", ["60"]);
    try {
      const said = execFileSync("perl", ["-e", READ_MEMORY, String(other.pid)]).toString();
      expect(said).toBe("EFAULT"); // It may as far as rights go: no other rule of the host's stands in for the warden's.
    } finally {
      other.kill("SIGKILL");
    }
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
