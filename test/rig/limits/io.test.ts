// io.max slows a writer, can be changed while the cell runs, and is nothing a neighbour notices; and what it does not
// hold back on ZFS.

import { describe, expect, it } from "vitest";

import { startHenged } from "../daemon.js";
import { upFromText } from "../units.js";
import { CGROUPS, useCells } from "./cells.js";

const MEBIBYTE = 2 ** 20;

const cells = useCells({ volumes: true, daemon: ["--pool-size", "1"] });

/** `MAJOR:MINOR` of the device a block device file or a mount point is on. */
function deviceOf(path: string): Promise<string> {
  return cells.host
    .must(`lsblk --noheadings --nodeps --output MAJ:MIN ${path}`)
    .then((text) => text.trim());
}

/** Bytes a second that each cell got past the page cache while both wrote for four seconds of the host. */
async function write(device: string, how: string): Promise<{ loud: number; quiet: number }> {
  const load = `dd if=/dev/zero of=/srv/file bs=128k count=64 ${how} conv=notrunc 2>/dev/null`;
  const rows = await cells.underLoad(
    { loud: load, quiet: load },
    `wrote() { sed -n 's/^${device} .*wbytes=\\([0-9]*\\).*/\\1/p' $1/io.stat | grep . || echo 0; }
    sample() { read -r up _ </proc/uptime; echo $up $(wrote loud) $(wrote quiet); }
    begun() { until [ $(wrote $1) -gt $(($2 + 1000000)) ]; do sleep 0.1; done; }
    loud=$(wrote loud) quiet=$(wrote quiet); begun loud $loud; begun quiet $quiet
    sample; sleep 4; sample`,
  );
  const [before = [], after = []] = rows;
  const [up = 0, loud = 0, quiet = 0] = after.map((value, index) => value - (before[index] ?? 0));
  return { loud: loud / up, quiet: quiet / up };
}

describe("io.max", () => {
  it("slows a writer and not its neighbour; a new value holds at once", async () => {
    const pid = await cells.pidOf("loud");
    const pool = await cells.host.must(
      "losetup --noheadings --output NAME --associated /var/lib/henge/pool.img",
    );
    const device = await deviceOf(pool.trim());
    await cells.limitLoud(`io.max: [{ device: "${device}", wbps: 512KiB }]`);
    const seq = await cells.lastSeq();
    const [slow] = await Promise.all([
      write(device, "oflag=direct"),
      cells.expectPressureTold("io", seq),
    ]);
    expect(slow.loud).toBeGreaterThan(0.2 * MEBIBYTE);
    expect(slow.loud).toBeLessThan(0.75 * MEBIBYTE);
    expect(slow.quiet).toBeGreaterThan(2 * slow.loud);
    await cells.limitLoud(`io.max: [{ device: "${device}", wbps: 1MiB }]`);
    const faster = await write(device, "oflag=direct");
    expect(faster.loud).toBeGreaterThan(0.6 * MEBIBYTE);
    expect(faster.loud).toBeLessThan(1.4 * MEBIBYTE);
    await cells.limitLoud("");
    expect(await cells.read("io.max")).toBe("");
    expect(await cells.pidOf("loud")).toBe(pid);
  });

  it("is refused for what is no disk of the host when it is planned", async () => {
    const manifest = cells.manifest('io.max: [{ device: "9:9", wbps: 1MiB }]');
    const planned = await cells.host.henge("plan", manifest);
    expect(planned.code).toBe(71);
    expect(planned.stderr).toContain("of lim/loud on 9:9: this host has no such block device");
  });

  // Were this to fail, ZFS had learnt to write in the name of who asks: a reason to be glad, and to mend the manual.
  it("does not hold back what ZFS writes, which `up` says", async () => {
    const device = await deviceOf("/dev/vdb");
    await cells.host.must("zpool create -O mountpoint=none tank /dev/vdb");
    await startHenged(cells.host, "--zfs", "tank/henge");
    const said = await upFromText(
      cells.host,
      `henge: 1
name: zfs
root: host
network: host
volumes: { data: {} }
mounts: [{ volume: data, path: /srv }]
limits: { io.max: [{ device: "${device}", wbps: 512KiB }] }
`,
    );
    expect(said).toContain("io.max of zfs does not hold back what it writes to its volumes");
    const timed =
      "read -r from _ </proc/uptime; dd if=/dev/urandom of=/srv/file bs=1M count=24 conv=fsync 2>/dev/null; read -r to _ </proc/uptime; echo $from $to";
    const written = await cells.host.mustHenge("exec", "zfs", "--", "/bin/sh", "-c", timed);
    const [from = 0, to = 0] = written.trim().split(" ").map(Number);
    // At 512 KiB a second they would have taken 48 s.
    expect(to - from).toBeLessThan(24);
    const counted = `grep '^${device} .*wbytes=[1-9]' ${CGROUPS}/zfs/io.stat || echo none`;
    expect(await cells.host.must(counted)).toBe("none\n");
  });
});
