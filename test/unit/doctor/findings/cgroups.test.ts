import { describe, expect, it } from "vitest";

import { judgeCgroups } from "../../../../src/doctor/findings/cgroups.js";
import type { Finding } from "../../../../src/doctor/port.js";
import type { CgroupFacts } from "../../../../src/kernel/port.js";

const UNIFIED = { heldByV1: [], options: ["rw", "nsdelegate"] };

function facts(offered: CgroupFacts["offered"]): CgroupFacts {
  return { mount: "/sys/fs/cgroup", subtree: "/sys/fs/cgroup/henge", offered };
}

function levels(findings: readonly Finding[]): readonly string[] {
  return findings.map((finding) => `${finding.check}: ${finding.level}`);
}

describe("judgeCgroups", () => {
  it("is content with every controller", () => {
    const all = facts(["cpu", "cpuset", "memory", "io", "pids"]);
    expect(levels(judgeCgroups(all, UNIFIED))).toEqual([
      "cgroup2: ok",
      "nsdelegate: ok",
      "controllers: ok",
    ]);
  });

  it("names what is missing, and v1 as the reason on a hybrid host", () => {
    const findings = judgeCgroups(facts(["pids"]), { heldByV1: ["cpu", "memory"], options: [] });
    expect(levels(findings)).toEqual([
      "cgroup2: degraded",
      "nsdelegate: degraded",
      "controllers: degraded",
    ]);
    expect(findings[0]?.text).toContain("hybrid with v1, which holds cpu, memory");
    expect(findings[1]?.hint).toContain("mount -o remount,nsdelegate /sys/fs/cgroup");
    expect(findings[2]?.text).toBe("missing: cpu, cpuset, memory, io; offered: pids");
    expect(findings[2]?.hint).toContain("--allow-missing-controllers");
  });

  it("points to a delegated cgroup where v1 is not the reason", () => {
    expect(judgeCgroups(facts([]), UNIFIED)[2]?.hint).toContain("delegated cgroup");
  });

  it("finds a host without cgroup2 unfit", () => {
    const findings = judgeCgroups(undefined, { heldByV1: [], options: [] });
    expect(levels(findings)).toEqual(["cgroup2: unfit"]);
    expect(findings[0]?.hint).toContain("mount -t cgroup2");
  });
});
