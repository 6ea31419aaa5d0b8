// Volumes on a real ZFS pool: the driver's contract, what a cell and the host see of a dataset, and a pool that is not
// there when a cell needs it.

import { describe, expect, it } from "vitest";

import { startHenged } from "./daemon.js";
import { useHost } from "./fixture.js";
import { hengeOfText, upFromText } from "./units.js";

const TOP = "tank/henge";
const VOLUME = `${TOP}/volumes/vol/data`;
const SECRET = `${TOP}/volumes/vol/secret`;
const KEY = "/etc/vol.key";

/** A root file system with two programs. */
const TINY = `
set -e
mkdir -p /root/tiny/etc /root/tiny/proc /root/tiny/sys /root/tiny/dev /root/tiny/run /root/tiny/tmp /root/tiny/srv
cd /root/tiny
for program in /usr/bin/sleep /usr/bin/cat; do
	for file in $program $(ldd $program | grep -o '/[^ ]*'); do cp --parents --dereference "$file" .; done
done
echo root:x:0:0:root:/:/usr/bin/sleep >etc/passwd
tar --create --file=/root/tiny.tar .
`;

const host = useHost({ prepare });

async function prepare(): Promise<void> {
  await host.must(
    `zpool create -O mountpoint=none tank /dev/vdb; (umask 077; od -An -N 32 -t x1 /dev/urandom | tr -d ' \\n' >${KEY})`,
  );
}

const MANIFEST = `henge: 1
name: vol
root: host
network: host
volumes:
  data: { preset: postgres, quota: 64MiB, reservation: 16MiB }
  secret: { encryption: { key: ${KEY}, format: hex } }
cells:
  db:
    mounts: [{ volume: data, path: /srv }, { volume: secret, path: /mnt }]
    units:
      writer:
        argv: [/bin/sh, -c, "date >> /srv/starts; exec sleep infinity"]
`;

interface Seen {
  readonly state: string;
  readonly reason?: string | null;
}

/** Waits until the cell is in a state for this reason, or for none; returns the state. */
async function untilReason(reason: string | undefined): Promise<string> {
  let seen: Seen = { state: "" };
  const look = async (): Promise<boolean> => {
    seen = JSON.parse(await host.mustHenge("get", "vol/db", "-o", "json")) as Seen;
    return reason === undefined ? seen.state === "running" : (seen.reason ?? "").includes(reason);
  };
  await expect.poll(look, { timeout: 90_000, interval: 500 }).toBe(true);
  return seen.state;
}

describe("the driver", () => {
  it("keeps on ZFS the contract it keeps on btrfs and in the fake", async () => {
    await host.must(
      "cd /srv/henge && HENGE_TEST_ZFS=tank HENGE_REQUIRE=zfs node node_modules/vitest/vitest.mjs run " +
        "--project contract test/contract/storage/driver.test.ts test/contract/storage/zfs.test.ts test/contract/storage/snapshots.test.ts --testNamePattern 'a ZFS pool'",
      { deadlineMs: 840_000 },
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
    const properties =
      "canmount,mountpoint,setuid,devices,refquota,reservation,recordsize,mounted,encryption";
    const outside = await host.must(
      `zfs get -Hp -o value ${properties} ${VOLUME}; zfs get -H -o value encryption ${SECRET}; grep -c zfs /proc/mounts || true`,
    );
    expect(outside.trim().split("\n")).toEqual([
      ...["noauto", "legacy", "off", "off", "67108864", "16777216", "16384", "no", "off"],
      "aes-256-gcm",
      "0",
    ]);
    await host.must(
      `! grep -rIqsf ${KEY} /var/lib/henge /run/henge /proc/*/cmdline /proc/*/environ && ! journalctl --no-pager | grep -qf ${KEY}`,
    );
  });
});

describe("a cell whose root is an image on ZFS", () => {
  const image = (user: string): string => `henge: 1
name: img
images: { tiny: { archive: /root/tiny.tar } }
root: { image: tiny }
network: host
volumes: { data: { quota: 64MiB }, more: {} }
mounts: [{ volume: data, path: /srv }]
units:
  sleeper: { argv: [/usr/bin/sleep, infinity], user: ${user} }
`;

  it("has nothing else of the pool mounted, and nothing is mounted on the host", async () => {
    await host.must(TINY);
    await upFromText(host, image("root"));
    const words = ["exec", "img", "--", "/usr/bin/cat", "/proc/self/mounts"];
    const seen = (await host.mustHenge(...words))
      .split("\n")
      .filter((line) => line.includes(" zfs "));
    expect(seen.sort()).toEqual([
      expect.stringMatching(/^tank\/henge\/images\/tiny\.\w+ \/ zfs ro,nosuid,nodev,/),
      expect.stringMatching(/^tank\/henge\/volumes\/img\/data \/srv zfs rw,nosuid,nodev,/),
    ]);
    expect(await host.run("grep ' zfs ' /proc/mounts")).toMatchObject({ code: 1, stdout: "" });
  });

  it("is looked into before anything of it is changed, while it is in use", async () => {
    const refused = await hengeOfText(host, image("nosuch"), "plan");
    expect(refused.stderr).toContain("units.sleeper.user: cannot run as user nosuch");
    expect(refused.code).toBe(65);
    expect(await host.run("grep ' zfs ' /proc/mounts")).toMatchObject({ code: 1, stdout: "" });
    const plan = await hengeOfText(host, image("root"), "plan", "-o", "json");
    expect(JSON.parse(plan.stdout)).toMatchObject({ steps: [] });
  });

  it("leaves no dataset behind when its data are destroyed", async () => {
    await host.mustHenge("down", "img", "--destroy-data", "--yes-destroy", "img");
    const left = await host.must(`zfs list -H -o name -r ${TOP}/volumes ${TOP}/images`);
    expect(left.split("\n").filter((line) => /img|tiny/.test(line))).toEqual([]);
  });
});

describe("a cell whose pool is away, or whose key is", () => {
  it("keeps the pool while it runs, and starts by itself when both are back", async () => {
    expect((await host.run("zpool export tank")).stderr).toContain("busy");
    await host.mustHenge("halt");
    await host.must(`zpool export tank && mv ${KEY} ${KEY}-away`);
    await host.mustHenge("resume");
    expect(await untilReason("tank: it is not imported")).toBe("blocked");
    await host.must("zpool import -N tank");
    expect(await untilReason(`${SECRET}: it is locked`)).toBe("blocked");
    await host.must(`mv ${KEY}-away ${KEY}`);
    expect(await untilReason(undefined)).toBe("running");
    const starts = await host.mustHenge("exec", "vol/db", "--", "/bin/cat", "/srv/starts");
    expect(starts.trim().split("\n")).toHaveLength(2);
  });
});

describe("the snapshots of a monolith on ZFS", () => {
  const read = async (cell: string) =>
    (await host.mustHenge("exec", cell, "--", "/bin/cat", "/srv/state")).trim();
  const write = (text: string) =>
    host.mustHenge("exec", "vol/db", "--", "/bin/sh", "-c", `echo ${text} >/srv/state`);

  it("are of one transaction, are gone back to, and start beside it as clones", async () => {
    await write("before");
    await host.mustHenge("snapshot", "vol", "--name", "n1");
    const txgs = await host.must(
      `zfs list -Hp -t snapshot -r -o createtxg ${TOP} | sort -u | wc -l`,
    );
    expect(txgs.trim()).toBe("1");
    await write("after");
    await host.mustHenge("clone", "vol", "n1", "copy");
    expect([await read("copy/db"), await read("vol/db")]).toEqual(["before", "after"]);
    const kept = await host.henge("destroy-snapshot", "vol", "n1", "--yes", "n1");
    expect(kept.stderr).toContain("copy was cloned from snapshot n1 and cannot be without it");
    await host.mustHenge("stop", "vol");
    await host.mustHenge("rollback", "vol", "n1", "--yes", "n1");
    await host.mustHenge("start", "vol");
    expect(await read("vol/db")).toBe("before");
    await host.mustHenge("down", "copy", "--destroy-data", "--yes-destroy", "copy");
    await host.mustHenge("destroy-snapshot", "vol", "n1", "--yes", "n1");
    expect(JSON.parse(await host.mustHenge("snapshots", "vol", "-o", "json"))).toEqual([]);
  });
});
