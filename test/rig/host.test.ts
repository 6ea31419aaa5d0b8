// What the rig promises of its host, and what of Henge only such a host can show.

import { describe, expect, it } from "vitest";

import { useHost } from "./fixture.js";

const host = useHost();
const peer = useHost({ number: 2 });

describe("the rig's host", () => {
  it("has every controller Henge limits by, pressure, and two NUMA nodes", async () => {
    const facts = await host.must(
      "cat /sys/fs/cgroup/cgroup.controllers /sys/devices/system/node/online /proc/pressure/memory",
    );
    for (const controller of ["cpuset", "cpu", "io", "memory", "pids"])
      expect(facts.split("\n")[0]?.split(" ")).toContain(controller);
    expect(facts).toContain("\n0-1\nsome avg10=");
  });

  it("makes a ZFS pool of its disk, whose datasets are id-mapped", async () => {
    await host.must("zpool create -O mountpoint=/tank tank /dev/vdb && touch /tank/file");
    const mapped = await host.must(
      "mkdir /seen && unshare --mount sh -c 'mount --bind --map-users 0:100000:65536 --map-groups 0:100000:65536 " +
        "/tank /seen && stat --format %u /seen/file'",
    );
    expect(mapped.trim()).toBe("100000");
  });

  it("passes exit codes and both streams on", async () => {
    expect(await host.run("echo out; echo err >&2; exit 42")).toEqual({
      code: 42,
      stdout: "out\n",
      stderr: "err\n",
    });
  });

  it("reaches its peer over their own wire, until that is unplugged", async () => {
    const reach = async () =>
      (await host.run(`ping -c 3 -i 0.3 -W 5 10.77.0.${String(peer.number)}`)).code;
    expect(await reach()).toBe(0);
    await peer.link(false);
    expect(await reach()).toBe(1);
    await peer.link(true);
    await expect.poll(reach, { timeout: 60_000 }).toBe(0);
    expect((await peer.must("hostname")).trim()).toBe(`rig${String(peer.number)}`);
  });
});

describe("limits", () => {
  it("are written and read back by the same suite as over the fake, with every controller", async () => {
    await host.must(
      "cd /srv/henge && systemd-run --wait --pipe --quiet --property=Delegate=yes --setenv=HENGE_REQUIRE=cgroup2 " +
        "--working-directory=/srv/henge node node_modules/vitest/vitest.mjs run --project contract test/contract/cgroup.test.ts",
    );
  });
});
