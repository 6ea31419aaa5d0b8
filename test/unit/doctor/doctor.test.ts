import { tmpdir } from "node:os";

import { describe, expect, it } from "vitest";

import type { Run } from "../../../src/command.js";
import { CommandError, HengeError } from "../../../src/errors.js";
import { createDoctor } from "../../../src/doctor/doctor.js";
import type { DoctorOptions } from "../../../src/doctor/doctor.js";
import type { Doctor } from "../../../src/doctor/port.js";
import { createHost } from "../../../src/kernel/host.js";

const HELPER = "/usr/lib/henge/henge-helper";
const GONE = new HengeError("WRONG_STATE", "cannot use the pool: not mounted");

const run: Run = (argv) => {
  if (argv[0] === "zfs") return Promise.reject(new CommandError(argv, "ENOENT", ""));
  return Promise.resolve(
    argv[2] === "idmap"
      ? "idmap\tok\t\n"
      : "openat2\tENOSYS\t\nclock\tok\tunsync=0 offset_us=0 maxerror_us=5\n",
  );
};

type Over = Partial<DoctorOptions> & { readonly runProbe?: Run };

function doctor({ runProbe = run, ...over }: Over = {}): Doctor {
  const directory = tmpdir();
  return createDoctor({
    facts: createHost({ cgroups: undefined, helper: HELPER, run, runProbe }),
    cgroups: undefined,
    directories: { state: directory, run: directory, logs: directory },
    certificates: "/nonexistent/live",
    pool: {
      driver: "btrfs",
      facts: () => Promise.resolve({ driver: "btrfs", path: directory, freeBytes: 2 ** 40 }),
      health: () =>
        Promise.resolve({ driver: "btrfs", path: directory, isReadOnly: false, errors: [] }),
    },
    ...over,
  });
}

async function find(over: Over = {}) {
  const findings = await doctor(over).findings([]);
  return { findings, of: new Map(findings.map((finding) => [finding.check, finding])) };
}

describe("the doctor", () => {
  it("finds one line for each check", async () => {
    const checks = (await find()).findings.map((finding) => finding.check);
    expect(new Set(checks).size).toBe(checks.length);
    expect(checks).toEqual(
      expect.arrayContaining([
        ...["kernel", "openat2", "cgroup2", "nft", "tar", "clock", "entropy", "NUMA nodes"],
        ...["pool driver", "pool", "id-mapped mounts", "pool health"],
        ...["state", "logs", "run", "certificates", "ports", "ports of an ingress"],
      ]),
    );
  });

  it("believes what was tried", async () => {
    const { of } = await find();
    expect(of.get("openat2")).toMatchObject({ level: "unfit" });
    expect(of.get("id-mapped mounts")).toMatchObject({ level: "ok" });
    expect(of.get("clock")?.text).toContain("kept set");
  });

  it("goes on when the pool cannot be asked and the state directory is not there", async () => {
    const nowhere = "/nonexistent/henge";
    const { of, findings } = await find({
      directories: { state: nowhere, run: tmpdir(), logs: tmpdir() },
      pool: {
        driver: "btrfs",
        facts: () => Promise.reject(GONE),
        health: () => Promise.reject(GONE),
      },
    });
    expect(of.get("state")).toMatchObject({ level: "unfit" });
    expect(of.get("pool")).toMatchObject({ level: "unfit", text: GONE.message });
    expect(findings.filter(({ check }) => check.startsWith("pool"))).toHaveLength(1);
  });

  it("tells how a pool is that is there and cannot be used", async () => {
    const { of } = await find({
      pool: {
        driver: "zfs",
        facts: () => Promise.reject(GONE),
        health: () =>
          Promise.resolve({
            driver: "zfs",
            pool: "tank",
            state: "SUSPENDED",
            scrub: { kind: "never" },
            devices: [],
          }),
      },
    });
    expect(of.get("pool health")).toMatchObject({ level: "unfit", text: "tank is SUSPENDED" });
  });

  it("says so when the program that tries the kernel does not answer", async () => {
    const { of } = await find({
      runProbe: (argv) =>
        Promise.reject(new HengeError("DEADLINE", `cannot run ${argv.join(" ")}`)),
    });
    expect(of.get("facilities")).toMatchObject({ level: "unfit" });
    expect(of.get("facilities")?.text).toContain("--probe facilities");
    expect(of.get("id-mapped mounts")).toMatchObject({ level: "degraded" });
  });

  it("tries the kernel once for all who ask at the same time", async () => {
    let tried = 0;
    const { findings } = doctor({
      runProbe: (argv) => {
        if (argv[2] === "facilities") tried += 1;
        return run(argv);
      },
    });
    await Promise.all([findings([]), findings([])]);
    expect(tried).toBe(1);
    await findings([]);
    expect(tried).toBe(2);
  });
});

describe("a pool that hangs", () => {
  it("is a finding, and no hanging doctor", async () => {
    const { of } = await find({
      poolDeadlineMs: 20,
      pool: {
        driver: "zfs",
        facts: () => new Promise(() => undefined),
        health: () => Promise.reject(new HengeError("DEADLINE", "cannot run zpool list")),
      },
    });
    expect(of.get("pool")).toMatchObject({ level: "unfit" });
    expect(of.get("pool")?.text).toContain("no end after 20 ms");
    expect(of.get("pool")?.hint).toContain("zpool status -x");
  });
});
