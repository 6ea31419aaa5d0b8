// `henge doctor` on the host Henge is made for: with nothing wrong, with a ZFS pool that lacks a device, that is not
// imported, and that has lost its disk.

import { describe, expect, it } from "vitest";

import { startHenged } from "./daemon.js";
import { useHost } from "./fixture.js";

interface Finding {
  readonly check: string;
  readonly level: string;
  readonly text: string;
  readonly hint: string | null;
}

const host = useHost({ prepare });

// As an NTP client leaves the kernel's clock: adjtimex(2) with a status of STA_PLL and an error of 1 ms.
const SYNCHRONISE = `python3 -c '
import ctypes, struct
timex = struct.pack("Iqqqqi", 0x1c, 0, 0, 1000, 1000, 1).ljust(256, b"\\0")
ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(timex)) >= 0 or exit(1)'`;

async function prepare(): Promise<void> {
  await host.must(
    `set -e
    sysctl -qw net.ipv4.ip_forward=1
    truncate -s 3G /var/tmp/leg
    zpool create -f -O mountpoint=none tank mirror /dev/vdb /var/tmp/leg
    zpool scrub -w tank
    ${SYNCHRONISE}`,
  );
  await startHenged(host, "--zfs", "tank/henge");
  // It makes its dataset in the background.
  await host.must("until zfs list tank/henge/images >/dev/null 2>&1; do sleep 0.2; done");
}

async function doctor(): Promise<{
  readonly code: number | null;
  readonly findings: readonly Finding[];
  readonly find: (check: string) => Finding | undefined;
}> {
  const { code, stdout, stderr } = await host.henge("doctor", "-o", "json");
  if (stderr !== "") throw new Error(stderr);
  const findings = JSON.parse(stdout) as readonly Finding[];
  return { code, findings, find: (check) => findings.find((finding) => finding.check === check) };
}

function bad(findings: readonly Finding[]): readonly string[] {
  return findings
    .filter(({ level }) => level !== "ok")
    .map(({ check, level, text }) => `${check} is ${level}: ${text}`);
}

describe("doctor", () => {
  it("finds nothing wrong with it, tells what it has, and exits with 0", async () => {
    const { code, findings, find } = await doctor();
    expect(bad(findings)).toEqual([]);
    expect(code).toBe(0);
    expect(find("facilities")?.text).toMatch(/openat2, .*cgroup\.kill, .*psi, .*memory\.peak/);
    expect(find("controllers")?.text).toBe("cpu, cpuset, memory, io, pids");
    expect(find("id-mapped mounts")?.text).toBe("tried on tank/henge");
    expect(find("NUMA nodes")?.text).toBe("0-1");
    expect(find("clock")?.text).toContain("kept set");
    expect(find("pool scrub")?.text).toBe("tank was scrubbed 0 days ago");
    const version = (await host.must("cat /sys/module/zfs/version")).trim();
    expect(find("OpenZFS")?.text).toBe(`module ${version}, tools ${version}`);
    // What was tried has left nothing.
    expect(await host.must("grep -c zfs /proc/mounts || true")).toBe("0\n");
    expect(await host.must("find /sys/fs/cgroup -name henge.probe")).toBe("");
  });

  it("is degraded while a leg of the mirror is away, and names it", async () => {
    await host.must("zpool offline tank /var/tmp/leg");
    const { code, findings, find } = await doctor();
    expect(code).toBe(1);
    expect(bad(findings)).toEqual([
      "pool health is degraded: tank is DEGRADED; /var/tmp/leg OFFLINE",
    ]);
    expect(find("pool health")?.hint).toContain("zpool online");
    await host.must("zpool online tank /var/tmp/leg");
  });

  it("is unfit while the pool is not imported, and says what brings it back", async () => {
    await host.must("zpool export tank");
    const { code, findings, find } = await doctor();
    expect(code).toBe(2);
    expect(bad(findings)).toEqual([
      "pool is unfit: cannot use the ZFS pool tank: it is not imported",
    ]);
    expect(find("pool")?.hint).toContain("zpool import tank");
    await host.must("zpool import -N -d /dev -d /var/tmp tank");
    expect((await doctor()).find("pool")?.level).toBe("ok");
  });

  it("answers, and tells of it, when the pool's only disk is gone and what writes to it hangs", async () => {
    await host.must(
      `set -e
      zpool detach tank /var/tmp/leg
      basename "$(readlink -f /sys/block/vdb/device)" >/sys/bus/virtio/drivers/virtio_blk/unbind
      setsid zfs set test:lost=yes tank >/dev/null 2>&1 </dev/null &
      until zpool status -p tank | grep -Eq 'vdb +[A-Z]+ +[0-9 ]*[1-9]|SUSPENDED|UNAVAIL'; do sleep 0.5; done`,
    );
    const begunMs = Date.now();
    const { code, find } = await doctor();
    expect(Date.now() - begunMs).toBeLessThan(30_000);
    expect(code).not.toBe(0);
    expect(find("pool health")?.level).not.toBe("ok");
    expect(find("pool health")?.hint).toContain("zpool status -v tank");
    expect(find("kernel")?.level).toBe("ok");
  });
});
