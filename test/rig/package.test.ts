// The Debian package on a host of its own: installed, upgraded and downgraded under running cells, removed, purged,
// installed again. dpkg runs offline; what it depends on is in the image.

import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { useHost } from "./fixture.js";
import { upFromText } from "./units.js";

const MANIFEST = `
henge: 1
name: shop
root: host
network: own
volumes: { data: { quota: 64MiB } }
cells:
  db:
    mounts: [{ volume: data, path: /srv }]
    units:
      writer:
        argv: [/bin/sh, -c, "echo started >> /srv/starts; exec sleep infinity"]
        clean-exits: [TERM]
`;
const STEP_MS = 600_000;
const UNITS = ["henged.socket", "henged.service", "henge-monoliths.service"];
const PURGE = "dpkg --purge henge 2>&1";
// All that Henge could leave: files, mounts, loop devices, links, tables, cgroups, processes.
const TRACES = `
find / -xdev \\( -path /proc -o -path /srv/henge -o -path /root/debs -o -path /sys \\) -prune -o -name '*henge*' -print
ls -A /var/lib/henge 2>/dev/null
grep -h henge /proc/self/mountinfo | grep -v ' /srv/henge '
losetup --noheadings --list --output BACK-FILE
ip -oneline link show type veth
nft list tables
ls -d /sys/fs/cgroup/*henge* /run/henge 2>/dev/null
pgrep -l henge
true
`;

const host = useHost({ prepare });
let before = "";

async function prepare(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "henge-debs-"));
  try {
    await mkdir(join(directory, "debs"));
    for (const revision of ["1", "2"])
      execFileSync("packaging/build", [join(directory, "debs"), revision], { stdio: "pipe" });
    await host.put(join(directory, "debs"), "/root/debs");
  } finally {
    await rm(directory, { recursive: true });
  }
  // man-db's index takes as long as all the rest here, and is not what this is about.
  await host.must("rm -f /var/lib/man-db/auto-update");
  before = await host.must(TRACES);
}

async function install(revision: number): Promise<void> {
  await host.must(`dpkg --force-unsafe-io --install /root/debs/henge_*-${String(revision)}_*.deb`);
}

async function starts(): Promise<string> {
  return host.mustHenge("exec", "shop/db:writer", "/bin/cat", "/srv/starts");
}

async function unitPid(): Promise<unknown> {
  const cells = JSON.parse(await host.mustHenge("ps", "-o", "json")) as {
    readonly units: readonly { readonly pid: number | null }[];
  }[];
  return cells.flatMap(({ units }) => units.map(({ pid }) => pid));
}

async function daemonPid(): Promise<string> {
  return (await host.must("systemctl show --property=MainPID --value henged")).trim();
}

describe("the Debian package", () => {
  it(
    "brings the daemon up, enabled for every boot, on Debian's Node.js",
    async () => {
      await host.must("apt-get --quiet --quiet --yes install /root/debs/henge_*-1_*.deb");
      await host.must(`systemctl is-active ${UNITS.join(" ")} henge-cells.service`);
      await host.must(`systemctl is-enabled ${UNITS.join(" ")}`);
      expect(await host.must(`readlink /proc/${await daemonPid()}/exe`)).toBe("/usr/bin/node\n");
      await upFromText(host, MANIFEST);
      expect(await starts()).toBe("started\n");
    },
    STEP_MS,
  );

  it(
    "is upgraded under running cells, and no client is refused",
    async () => {
      const [unit, daemon] = [await unitPid(), await daemonPid()];
      let upgrading = true;
      const upgraded = install(2).finally(() => (upgrading = false));
      const exits: (number | null)[] = [];
      const ask = async (): Promise<void> => {
        while (upgrading) exits.push((await host.henge("version")).code);
      };
      await Promise.all([upgraded, ask()]);
      expect(new Set(exits)).toEqual(new Set([0]));
      expect(await daemonPid()).not.toBe(daemon);
      expect(await unitPid()).toEqual(unit);
      expect(await starts()).toBe("started\n");
    },
    STEP_MS,
  );

  it(
    "is downgraded while the daemon is down, and starts it",
    async () => {
      const unit = await unitPid();
      await host.must("systemctl stop henged.socket henged.service");
      await install(1);
      await host.must(`systemctl is-active ${UNITS.join(" ")}`);
      expect(await unitPid()).toEqual(unit);
    },
    STEP_MS,
  );

  it(
    "ends everything in order when it is purged, and leaves the pool and nothing else",
    async () => {
      expect(await host.must(PURGE)).toContain("the volumes are kept, see /var/lib/henge");
      const journal = await host.must("journalctl --boot --no-pager --output=cat");
      const marks = ["shop is stopped", "Stopped henged.service", "Stopped henge-cells.service"];
      const places = marks.map((mark) => journal.lastIndexOf(mark));
      expect(places).not.toContain(-1);
      expect(places).toEqual(places.toSorted((one, other) => one - other));
      const pool = ["pool.img", "pool.img.uuid", "volumes.json"];
      const left = (await host.must(TRACES)).split("\n");
      const fresh = left.filter((line) => !before.split("\n").includes(line));
      expect(fresh.sort()).toEqual(["/var/lib/henge", ...pool]);
    },
    STEP_MS,
  );

  it(
    "finds the data again when it is installed anew",
    async () => {
      await install(2);
      await upFromText(host, MANIFEST);
      expect(await starts()).toBe("started\nstarted\n");
    },
    STEP_MS,
  );

  it(
    "destroys the volumes when it is told to",
    async () => {
      await host.must(`HENGE_PURGE_POOLS=yes ${PURGE}`);
      expect(await host.must(TRACES)).toBe(before);
    },
    STEP_MS,
  );
});
