// What the rig promises of its host, and what of Henge only such a host can show.

import { describe, expect, it } from "vitest";

import { useHost } from "./fixture.js";

const host = useHost();

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

  it("passes exit codes on", async () => {
    expect((await host.run("exit 42")).code).toBe(42);
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
