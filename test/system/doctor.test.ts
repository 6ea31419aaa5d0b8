// `henge doctor` of a built daemon: certificates, ports and directories as they should not be.

import { once } from "node:events";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { controllersOfV1, parseMountInfo } from "../../src/kernel/mountinfo.js";
import {
  EXPIRED_CERTIFICATE,
  FUTURE_CERTIFICATE,
  WELL_CERTIFICATE,
} from "../fixture/certificates.js";
import { TestDaemon } from "../fixture/daemon.js";

interface Finding {
  readonly check: string;
  readonly level: "ok" | "degraded" | "unfit";
  readonly text: string;
  readonly hint: string | null;
}

let daemon: TestDaemon;

async function doctor(of: TestDaemon = daemon): Promise<{
  readonly exit: number;
  readonly findings: readonly Finding[];
  readonly find: (check: string) => Finding | undefined;
}> {
  const { exit, stdout, stderr } = await of.henge("doctor", "-o", "json");
  expect(stderr).toBe("");
  const findings = JSON.parse(stdout) as readonly Finding[];
  return { exit, findings, find: (check) => findings.find((finding) => finding.check === check) };
}

async function writeCertificate(name: string, text: string, keyMode = 0o600): Promise<void> {
  const directory = join(daemon.root, "live", name);
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, "fullchain.pem"), text);
  await writeFile(join(directory, "privkey.pem"), "");
  await chmod(join(directory, "privkey.pem"), keyMode);
}

async function listen(port: number, host = "127.0.0.1"): Promise<Server> {
  const server = createServer().listen(port, host);
  await once(server, "listening");
  return server;
}

async function close(server: Server): Promise<void> {
  server.close();
  await once(server, "close");
}

beforeAll(async () => {
  // Its root is known only once it has begun.
  daemon = await TestDaemon.start("--pool-size", "1");
  await daemon.kill("SIGTERM");
  await daemon.begin("--certificates", join(daemon.root, "live"));
});

afterAll(() => daemon.remove());

describe("doctor", () => {
  it("tells each check once, and what to do about each that is not ok", async () => {
    const { exit, findings } = await doctor();
    const checks = findings.map(({ check }) => check);
    expect(new Set(checks).size).toBe(checks.length);
    for (const { level, hint } of findings) expect(hint === null).toBe(level === "ok");
    const worst = findings.some(({ level }) => level === "unfit") ? 2 : 1;
    const isWell = findings.every(({ level }) => level === "ok");
    expect(exit).toBe(isWell ? 0 : worst);
  });

  it("answers in under two seconds", async () => {
    const tookMs: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      const begunMs = Date.now();
      await doctor();
      tookMs.push(Date.now() - begunMs);
    }
    expect(Math.min(...tookMs)).toBeLessThan(2_000);
  });

  it("tries facilities and id maps on this kernel and this pool", async () => {
    const { find } = await doctor();
    expect(find("facilities")?.text).toMatch(/^tried: openat2, .*cgroup namespace/);
    expect(find("id-mapped mounts")).toMatchObject({
      level: "ok",
      text: `tried on ${join(daemon.root, "run/pool")}`,
    });
    expect(find("pool health")).toMatchObject({ level: "ok" });
    expect(find("pool driver")?.text).toBe("btrfs");
  });

  it("says whether cgroup v1 holds controllers, and which are therefore missing", async () => {
    const mounts = parseMountInfo(await readFile("/proc/self/mountinfo", "utf8"));
    const held = controllersOfV1(mounts);
    const { find } = await doctor();
    const level = held.length === 0 ? "ok" : "degraded";
    expect(find("cgroup2")?.level).toBe(level);
    if (held.length > 0) expect(find("cgroup2")?.text).toContain(`holds ${held.join(", ")}`);
    const hasMemory = find("controllers")?.text.includes("missing") === false;
    expect(find("memory.oom.group")?.level).toBe(hasMemory ? undefined : "degraded");
  });

  it("is content without certificates", async () => {
    const text = `none in ${join(daemon.root, "live")}`;
    expect((await doctor()).find("certificates")).toMatchObject({ level: "ok", text });
  });

  it("names each certificate that is not well, and counts those that are", async () => {
    await writeCertificate("expired", EXPIRED_CERTIFICATE);
    await writeCertificate("future", FUTURE_CERTIFICATE);
    await writeCertificate("open", WELL_CERTIFICATE, 0o644);
    await writeCertificate("torn", "-----BEGIN CERTIFICATE-----\n");
    await writeCertificate("well", WELL_CERTIFICATE);
    const { exit, findings, find } = await doctor();
    expect(exit).toBe(1);
    const told = findings.filter(({ check }) => check.startsWith("certificate "));
    expect(told.map(({ check, level }) => `${check}: ${level}`)).toEqual([
      "certificate expired: degraded",
      "certificate future: degraded",
      "certificate open: degraded",
      "certificate torn: degraded",
    ]);
    expect(told[0]?.text).toContain("expired.example, www.expired.example expired at 2021-01-01");
    expect(told[1]?.text).toContain("not valid before 2090-01-01");
    expect(told[2]?.text).toContain("privkey.pem is readable by everybody");
    expect(told[3]?.text).toContain("it is no certificate");
    expect(find("certificates")?.text).toMatch(
      /^well for well\.example, www\.well\.example, \d+ days$/,
    );
  });
});

describe("a published port", () => {
  it("is told when a process of the host has it, held or not", async () => {
    const probe = await listen(0);
    const { port } = probe.address() as AddressInfo;
    await close(probe);
    const at = `127.0.0.1:${String(port)}`;
    const manifest = join(daemon.root, "shop.yaml");
    await writeFile(
      manifest,
      `henge: 1\nname: shop\nroot: host\nnetwork: own\npublish: ["${at}:80"]\ncells:\n  web:\n    units:\n      web: { argv: [/bin/sleep, "1000"] }\n`,
    );
    await daemon.must("up", manifest);
    expect((await doctor()).find("ports")?.text).toBe("1 published, nobody else listens there");
    const server = await listen(port);
    try {
      const held = (await doctor()).find(`port ${at}`);
      expect(held).toMatchObject({ level: "degraded" });
      expect(held?.text).toMatch(
        new RegExp(
          `^${at} leads to shop, and .* \\(pid ${String(process.pid)}\\) listens there in vain$`,
        ),
      );
      await daemon.must("halt");
      const taken = (await doctor()).find(`port ${at}`);
      expect(taken).toMatchObject({ level: "degraded" });
      expect(taken?.text).toContain(`${at} of shop is taken: `);
    } finally {
      await close(server);
    }
    expect((await doctor()).find(`port ${at}`)).toBeUndefined();
    await daemon.must("resume");
    await daemon.must("down", "shop", "--destroy-data", "--yes-destroy", "shop");
  });
});

describe("a directory that is full", () => {
  it("makes the host unfit, in bytes and in inodes", async () => {
    const full = await TestDaemon.startWithMounts(
      'mkdir -p "$1/lib/logs" && mount -t tmpfs -o size=1m,nr_inodes=64,mode=0700 tmpfs "$1/lib/logs"',
      ...["--pool-size", "1"],
    );
    try {
      const { exit, find } = await doctor(full);
      expect(exit).toBe(2);
      expect(find("logs")?.level).toBe("unfit");
      expect(find("logs")?.text).toMatch(/^[01] MiB, \d+ inodes free at /);
      expect(find("logs")?.hint).toContain("Make room");
      expect(find("state")).toMatchObject({ level: "ok" });
    } finally {
      await full.remove();
    }
  });
});
