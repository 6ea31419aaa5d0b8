// The daemon's sandbox under systemd: how tight it is, that the daemon can do its work in it, and that no cell is in it.

import { describe, expect, it } from "vitest";

import { useHost } from "./fixture.js";
import { installUnits, startUnits, upFromText } from "./units.js";

const BAR = 6.5;

// What tar cannot restore without rights: owners, a setuid program, one with a capability, a device node.
const MAKE_IMAGE = `
set -e
mkdir -p /root/tiny/etc /root/tiny/proc /root/tiny/sys /root/tiny/dev /root/tiny/run /root/tiny/tmp
cd /root/tiny
for file in /usr/bin/sleep $(ldd /usr/bin/sleep | grep -o '/[^ ]*'); do cp --parents --dereference "$file" .; done
cp usr/bin/sleep setuid && chmod 4755 setuid
cp usr/bin/sleep able && setcap cap_net_raw+ep able
mknod device b 8 0 && chown 1234:5678 device
echo root:x:0:0:root:/:/usr/bin/sleep >etc/passwd && echo root:x:0: >etc/group
tar --create --xattrs --xattrs-include=security.capability --file=/root/tiny.tar .
`;
const SHOP = `
henge: 1
name: shop
images: { tiny: { archive: /root/tiny.tar } }
volumes: { data: { quota: 64MiB } }
network: own
publish: ["127.0.0.1:8080:3000"]
root: host
cells:
  db:
    mounts: [{ volume: data, path: /srv, owner: redis }]
    units:
      redis:
        user: redis
        argv: [/usr/bin/redis-server, --port, "3000", --dir, /srv, --protected-mode, "no"]
        readiness: { tcp: 3000 }
  tiny:
    root: { image: tiny }
    units:
      sleep: { argv: [/usr/bin/sleep, infinity] }
`;
const ON_ZFS = `
henge: 1
name: other
root: host
volumes: { data: { quota: 64MiB } }
cells:
  db:
    mounts: [{ volume: data, path: /srv }]
    units:
      sleep: { argv: [/usr/bin/sleep, infinity] }
`;
/** CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID: what root of a cell has. */
const CELL_ROOT = "00000000000000fb";

const host = useHost({ prepare });

async function prepare(): Promise<void> {
  await host.must("zpool create -O mountpoint=none tank /dev/vdb");
  await host.must(MAKE_IMAGE);
  await installUnits(host);
  await startUnits(host);
  await upFromText(host, SHOP);
}

async function show(unit: string, property = "MainPID"): Promise<string> {
  return (await host.must(`systemctl show --property=${property} --value ${unit}`)).trim();
}

async function statusOf(pid: string): Promise<Readonly<Record<string, string>>> {
  const lines = (await host.must(`cat /proc/${pid}/status`)).split("\n");
  return Object.fromEntries(lines.map((line) => line.split(":\t") as [string, string]));
}

async function inCell(cell: string, script: string): Promise<string> {
  return (await host.mustHenge("exec", cell, "--", "/bin/sh", "-c", script)).trim();
}

/** `PID henge-warden CELL` of each. */
async function wardens(): Promise<readonly string[]> {
  return (await host.must("pgrep --exact --list-full henge-warden")).trim().split("\n");
}

describe("the daemon under systemd", () => {
  it("is confined, and in the host's own mount namespace", async () => {
    const report = await host.must("systemd-analyze security henged.service --no-pager");
    const mark = Number(/exposure level for henged\.service: ([\d.]+)/.exec(report)?.[1]);
    expect(mark).toBeGreaterThan(0);
    expect(mark).toBeLessThanOrEqual(BAR);
    const status = await statusOf(await show("henged"));
    expect(status).toMatchObject({ NoNewPrivs: "1", Seccomp: "2" });
    const namespaces = await host.must(
      `readlink /proc/1/ns/mnt /proc/${await show("henged")}/ns/mnt`,
    );
    expect(new Set(namespaces.trim().split("\n")).size).toBe(1);
    expect(await host.must("findmnt --task 1 --noheadings --output FSTYPE /run/henge/pool")).toBe(
      "btrfs\n",
    );
  });

  it("unpacks images as they are, publishes ports, and reaches into cells", async () => {
    const image = "/run/henge/pool/images/tiny.*";
    expect(
      await host.must(`cd ${image} && stat --format '%a %u %F' setuid device && getcap able`),
    ).toBe("4755 0 regular file\n644 1234 block special file\nable cap_net_raw=ep\n");
    const asked = "exec 3<>/dev/tcp/127.0.0.1/8080 && echo PING >&3 && head --bytes=5 <&3";
    expect(await host.must(`bash -c '${asked}'`)).toBe("+PONG");
    expect(await inCell("shop/db", "echo kept >/srv/file && cat /srv/file")).toBe("kept");
    expect(await host.must("cat /run/henge/pool/volumes/shop/data/file")).toBe("kept\n");
    const checks = await host.henge("doctor");
    // Of the host, not of the sandbox: asked where wardens are run.
    expect(checks.stdout).toMatch(/^ok +CAP_SYS_RESOURCE/m);
    expect(checks.stdout).toMatch(/^ok +facilities +tried: .*clone3.*user namespace/m);
  });

  it("imposes nothing of that on wardens and cells", async () => {
    const manager = await statusOf("1");
    const pids = (await wardens()).map((line) => line.split(" ")[0] ?? "");
    expect(pids).toHaveLength(3);
    for (const pid of pids)
      expect(await statusOf(pid)).toMatchObject({
        NoNewPrivs: "0",
        Seccomp: "0",
        CapBnd: manager["CapBnd"],
      });
    const inside = await inCell("shop", "cat /proc/self/status /proc/self/oom_score_adj; umask");
    expect(inside).toMatch(/^Seccomp:\t0$/m);
    expect(inside).toMatch(/^NoNewPrivs:\t1$/m); // the warden's own, given last of all
    expect(inside).toContain(`CapEff:\t${CELL_ROOT}\n`);
    expect(inside).toContain(`CapBnd:\t${CELL_ROOT}\n`);
    expect(inside).toMatch(/\n0\n0022$/);
  });
});

describe("a spawner that ends by mistake", () => {
  it("takes no cell with it, and the next one starts wardens, on ZFS too", async () => {
    const before = await wardens();
    const spawner = await show("henge-cells");
    // The daemon is restarted with it: the next one uses another pool.
    await host.must(`echo 'HENGED_OPTIONS="--zfs tank/henge"' >/etc/default/henged`);
    await host.must(`kill -TERM ${spawner}; kill -INT ${spawner}; kill -KILL ${spawner}`);
    // Ready when the daemon has made what its pool begins with.
    await host.must(
      'until zfs list tank/henge/images 2>/dev/null && [ "$(systemctl show ' +
        `--property=MainPID --value henge-cells)" != ${spawner} ]; do ` +
        '[ "$((waited += 1))" -lt 240 ] || exit 1; sleep 0.5; done',
    );
    expect(await wardens()).toEqual(before);
    await upFromText(host, ON_ZFS);
    expect(await wardens()).toHaveLength(before.length + 2);
    const inside = await inCell("other/db", "grep ' /srv ' /proc/mounts; cat /proc/self/status");
    expect(inside).toMatch(/ \/srv zfs rw,/);
    expect(inside).toMatch(/^Seccomp:\t0$/m);
  });

  it("ends every cell when its unit is stopped", async () => {
    await host.must("systemctl stop henge-cells");
    expect(await show("henge-cells", "Result")).toBe("success");
    const left = await host.run("pgrep 'henge-(warden|init)|redis-server'");
    expect(left).toMatchObject({ code: 1, stdout: "" });
  });
});
