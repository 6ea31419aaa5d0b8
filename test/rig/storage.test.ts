// Volumes on a real ZFS pool: the driver's contract, what a cell and the host see of a dataset, and a pool that is not
// there when a cell needs it.

import { beforeAll, describe, expect, it } from "vitest";

import { startHenged } from "./daemon.js";
import { useHost } from "./fixture.js";
import { upFromText } from "./units.js";

const TOP = "tank/henge";
const VOLUME = `${TOP}/volumes/vol/data`;

const host = useHost();

beforeAll(async () => {
  await host.must("zpool create -O mountpoint=none tank /dev/vdb");
});

const MANIFEST = `henge: 1
name: vol
root: host
network: host
volumes: { data: { quota: 64MiB } }
cells:
  db:
    mounts: [{ volume: data, path: /srv }]
    units:
      writer:
        argv: [/bin/sh, -c, "date >> /srv/starts; exec sleep infinity"]
`;

async function stateOf(): Promise<{ readonly state: string; readonly reason?: string }> {
  return JSON.parse(await host.mustHenge("get", "vol/db", "-o", "json")) as {
    state: string;
    reason?: string;
  };
}

async function untilState(state: string): Promise<string> {
  let seen = await stateOf();
  await expect
    .poll(async () => (seen = await stateOf()).state, { timeout: 60_000, interval: 500 })
    .toBe(state);
  return seen.reason ?? "";
}

describe("the driver", () => {
  it("keeps on ZFS the contract it keeps on btrfs and in the fake", async () => {
    await host.must(
      "cd /srv/henge && HENGE_TEST_ZFS=tank HENGE_REQUIRE=zfs node node_modules/vitest/vitest.mjs run " +
        "--project contract test/contract/storage/driver.test.ts test/contract/storage/zfs.test.ts --testNamePattern 'a ZFS pool'",
    );
  });
});

describe("a cell with a volume on ZFS", () => {
  it("has its dataset to itself: mounted nowhere on the host, with its root no root of the host", async () => {
    await startHenged(host, "--zfs", TOP);
    await upFromText(host, MANIFEST);
    const inside = await host.henge(
      ...["exec", "vol/db", "--", "/bin/sh", "-c"],
      "touch /srv/file && stat --format '%u' /srv/file && grep ' /srv ' /proc/self/mounts",
    );
    expect(inside.stdout).toMatch(/^0\n\S+ \/srv zfs rw,\S*nosuid,nodev/);
    const outside = await host.must(
      `zfs get -Hp -o property,value canmount,mountpoint,setuid,devices,refquota,mounted ${VOLUME}; grep -c zfs /proc/mounts || true`,
    );
    expect(outside.trim().split("\n")).toEqual([
      "canmount\tnoauto",
      "mountpoint\tlegacy",
      "setuid\toff",
      "devices\toff",
      "refquota\t67108864",
      "mounted\tno",
      "0",
    ]);
  });
});

describe("a cell whose pool is away", () => {
  it("keeps the pool while it runs, and starts by itself when the pool is back", async () => {
    expect((await host.run("zpool export tank")).stderr).toContain("busy");
    await host.mustHenge("halt");
    await host.must("zpool export tank");
    await host.mustHenge("resume");
    expect(await untilState("blocked")).toContain("the ZFS pool tank: it is not imported");
    await host.must("zpool import -N tank");
    await untilState("running");
    expect(await host.must("zfs get -Hp -o value guid tank/henge")).toMatch(/^\d+\n$/);
    const starts = await host.mustHenge("exec", "vol/db", "--", "/bin/cat", "/srv/starts");
    expect(starts.trim().split("\n")).toHaveLength(2);
  });
});
