// Henge beside a kubelet, a firewall and systemd: neither side sees the other change anything, whatever either does.

import { describe, expect, it } from "vitest";

import { useHost } from "./fixture.js";
import { cyclePod, kubeletFaults, reloadFirewall, startKubelet } from "./kubelet.js";
import { differences, recordOthers, recordOwn } from "./recorder.js";
import type { Recording } from "./recorder.js";
import { installUnits, startUnits, upFromText } from "./units.js";

const manifest = (pids: number): string => `
henge: 1
name: shop
root: host
network: own
publish: ["127.0.0.1:8080:3000"]
volumes: { data: { quota: 64MiB } }
limits: { memory.max: 256MiB, pids.max: ${String(pids)} }
cells:
  web:
    limits: { cpu.weight: 50, memory.high: 128MiB }
    mounts: [{ volume: data, path: /srv }]
    units:
      web:
        argv: [/usr/bin/python3, -m, http.server, "3000", --directory, /srv]
        readiness: { tcp: 3000 }
        restart: { policy: always, backoff-min: 100ms }
`;
// The promise is five seconds; the guest's own clock says how long it took there.
const RULES_BACK_MS = 5_000;

const host = useHost({ prepare });
let before: Recording;

async function prepare(): Promise<void> {
  await startKubelet(host);
  await installUnits(host);
  before = await recordOthers(host);
}

interface Web {
  readonly state: string;
  readonly units: readonly { readonly pid: number; readonly state: string }[];
}

async function web(): Promise<Web> {
  return JSON.parse(await host.mustHenge("get", "shop/web", "-o", "json")) as Web;
}

async function webPid(): Promise<number> {
  return (await web()).units[0]?.pid ?? 0;
}

async function daemonPid(): Promise<number> {
  return Number(await host.must("systemctl show --property=MainPID --value henged"));
}

async function untilRunning(): Promise<void> {
  await expect
    .poll(async () => (await web()).units[0]?.state, { timeout: 60_000, interval: 500 })
    .toBe("running");
}

/** What the published port answers on the host. */
async function visit(): Promise<string> {
  return host.must(
    "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'HEAD / HTTP/1.0\\r\\n\\r\\n' >&3 && head -n 1 <&3",
  );
}

/** Null devices and terminals work, and what is there is what it is. */
async function devices(): Promise<string> {
  const script =
    "head -c 1 /dev/zero >/dev/null && : </dev/urandom && stat --format '%n %F %t:%T %a' /dev/*";
  return host.mustHenge("exec", "shop/web", "--", "/bin/sh", "-c", script);
}

describe("the kubelet, systemd and a firewall", () => {
  it("see nothing of theirs changed while a monolith comes up, changes, restarts and crashes", async () => {
    await startUnits(host);
    await upFromText(host, manifest(200));
    expect(await visit()).toContain("200 OK");
    await upFromText(host, manifest(150));
    await host.mustHenge("restart", "shop/web");
    await host.must(`kill -KILL ${String(await webPid())}`);
    await untilRunning();
    await host.must(`kill -KILL ${String(await daemonPid())}`);
    expect(await visit()).toContain("200 OK");
    expect(differences(before, await recordOthers(host))).toEqual([]);
    expect(await kubeletFaults(host)).toEqual([]);
  });
});

describe("a monolith", () => {
  it("sees nothing of its own changed while pods come and go and systemd starts over", async () => {
    const was = { pids: [await webPid(), await daemonPid()], devices: await devices() };
    const own = await recordOwn(host);
    await cyclePod(host);
    await host.must("systemctl daemon-reload && systemctl daemon-reexec");
    expect(differences(own, await recordOwn(host))).toEqual([]);
    const is = { pids: [await webPid(), await daemonPid()], devices: await devices() };
    expect(is).toEqual(was);
    expect(await visit()).toContain("200 OK");
    expect(await kubeletFaults(host)).toEqual([]);
  });

  it("has its rules back within five seconds of a firewall that flushed them all", async () => {
    const flushedMs = Number(await host.must("date +%s%3N"));
    await reloadFirewall(host);
    const restored = async (): Promise<number> => {
      const lines = (await host.mustHenge("events", "-o", "json")).split("\n");
      const line = lines.find((text) => text.includes('"rules-restored"'));
      return line === undefined ? Infinity : Date.parse((JSON.parse(line) as { at: string }).at);
    };
    await expect.poll(restored, { timeout: 60_000, interval: 500 }).toBeLessThan(Infinity);
    expect((await restored()) - flushedMs).toBeLessThan(RULES_BACK_MS);
    expect(await visit()).toContain("200 OK");
  });
});

describe("a host whose monolith is gone", () => {
  it("is as it was before", async () => {
    await host.mustHenge("down", "shop", "--destroy-data", "--yes-destroy", "shop");
    await host.must("systemctl stop henge-monoliths henged henged.socket henge-cells");
    // The firewall's rules were loaded anew meanwhile.
    const comparable = (recording: Recording): Recording =>
      recording.map((line) => line.replace(/ # handle \d+$/, ""));
    const after = await recordOthers(host);
    expect(differences(comparable(before), comparable(after))).toEqual([]);
    expect(await host.must("nft list tables")).not.toContain("henge");
    expect(await kubeletFaults(host)).toEqual([]);
  });
});

// What the tests above would have seen, had anybody done it.
describe("the recorder and the kubelet", () => {
  const STRAY = {
    cgroup: "echo +rdma >/sys/fs/cgroup/cgroup.subtree_control",
    mount: "mount --make-private /tmp",
    nft: "nft add rule inet filter input accept",
    sysctl: "sysctl net.ipv4.ip_forward=1",
    route: "ip route add 192.0.2.0/24 dev eth1",
    etc: "touch /etc/hosts",
  };

  it("notice a single change of each kind", async () => {
    const clean = await recordOthers(host);
    await host.must(Object.values(STRAY).join(" && "));
    await host.must("echo 199 >/sys/fs/cgroup/kubepods.slice/kubepods-besteffort.slice/pids.max");
    const found = differences(clean, await recordOthers(host));
    const kinds = found.map((line) => line.slice(2, line.indexOf(":")));
    expect([...new Set(kinds)].sort()).toEqual(Object.keys(STRAY).sort());
    await expect
      .poll(() => kubeletFaults(host), { timeout: 30_000, interval: 500 })
      .toContainEqual(expect.stringContaining("pids.max was 199 in place of 200"));
  });
});
