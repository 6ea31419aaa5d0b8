import { describe, expect, it } from "vitest";

import {
  judgeCapabilities,
  judgeCgroups,
  judgeClock,
  judgeEntropy,
  judgeForwarding,
  judgeKernel,
  judgeNuma,
  judgePressure,
  judgeSpace,
  judgeTool,
  judgeUserNamespaces,
} from "../../../src/kernel/findings.js";
import type { CgroupFacts, Finding } from "../../../src/kernel/port.js";

const MIB = 1024 * 1024;

function facts(offered: CgroupFacts["offered"]): CgroupFacts {
  return { mount: "/sys/fs/cgroup", subtree: "/sys/fs/cgroup/henge", offered };
}

function levels(findings: readonly Finding[]): readonly string[] {
  return findings.map((finding) => `${finding.check}: ${finding.level}`);
}

describe("judgeKernel", () => {
  it.each(["6.1", "6.1.0-32-amd64", "6.12.48+deb13-amd64", "7.0.1"])("takes %s", (release) => {
    expect(judgeKernel(release).every((finding) => finding.level === "ok")).toBe(true);
  });

  it.each(["5.15.0-91-generic", "6.0.19", "4.18.0"])("finds %s too old", (release) => {
    expect(judgeKernel(release).every((finding) => finding.level === "unfit")).toBe(true);
  });
});

describe("judgeCgroups", () => {
  it("is content with every controller", () => {
    const all = facts(["cpu", "cpuset", "memory", "io", "pids"]);
    expect(levels(judgeCgroups(all, []))).toEqual(["cgroup2: ok", "controllers: ok"]);
  });

  it("names what is missing, and v1 as the reason on a hybrid host", () => {
    const findings = judgeCgroups(facts(["pids"]), ["cpu", "memory"]);
    expect(levels(findings)).toEqual(["cgroup2: degraded", "controllers: degraded"]);
    expect(findings[0]?.text).toContain("hybrid with v1, which holds cpu, memory");
    expect(findings[1]?.text).toBe("missing: cpu, cpuset, memory, io; offered: pids");
    expect(findings[1]?.hint).toContain("--allow-missing-controllers");
  });

  it("points to a delegated cgroup where v1 is not the reason", () => {
    expect(judgeCgroups(facts([]), [])[1]?.hint).toContain("delegated cgroup");
  });

  it("finds a host without cgroup2 unfit", () => {
    expect(levels(judgeCgroups(undefined, []))).toEqual(["cgroup2: unfit"]);
  });
});

describe("judgeCapabilities", () => {
  it("looks at bit 24 of the effective set", () => {
    expect(judgeCapabilities("CapEff:\t000001ffffffffff\n").level).toBe("ok");
    expect(judgeCapabilities("CapEff:\t000001fffeffffff\n").level).toBe("degraded");
    expect(judgeCapabilities("").level).toBe("degraded");
  });
});

describe("judgeEntropy", () => {
  it("is content with a seeded source only", () => {
    expect(judgeEntropy("256\n").level).toBe("ok");
    expect(judgeEntropy("255\n").level).toBe("degraded");
    expect(judgeEntropy(undefined).level).toBe("degraded");
  });
});

describe("judgeNuma", () => {
  it("tells the nodes, or that there are none", () => {
    expect(judgeNuma("0-1\n")).toEqual({ check: "NUMA nodes", level: "ok", text: "0-1" });
    expect(judgeNuma(undefined).level).toBe("ok");
  });
});

describe("every finding that is not ok", () => {
  it("says what to do", () => {
    const findings = [
      ...judgeKernel("5.10.0"),
      ...judgeCgroups(undefined, []),
      ...judgeCgroups(facts([]), ["memory"]),
      judgePressure(false),
      judgeCapabilities(""),
      judgeUserNamespaces(undefined),
      judgeUserNamespaces("0\n"),
      judgeTool({ name: "nft", package: "nftables", purpose: "network" }),
      judgeForwarding("0\n"),
      judgeClock(0),
      judgeEntropy("0\n"),
      judgeSpace("state", "/var/lib/henge", 10 * MIB),
      judgeSpace("state", "/var/lib/henge", 1000 * MIB),
    ];
    expect(findings.filter((finding) => finding.level === "ok")).toEqual([]);
    expect(findings.filter((finding) => finding.hint === undefined)).toEqual([]);
  });
});

describe("a host that has everything", () => {
  it("gets nothing but ok", () => {
    const findings = [
      judgePressure(true),
      judgeUserNamespaces("95000\n"),
      judgeTool({ name: "nft", package: "nftables", purpose: "network", path: "/usr/sbin/nft" }),
      judgeForwarding("1\n"),
      judgeClock(Date.UTC(2026, 5, 1)),
      judgeSpace("state", "/var/lib/henge", 9000 * MIB),
    ];
    expect(findings.filter((finding) => finding.level !== "ok")).toEqual([]);
  });
});
