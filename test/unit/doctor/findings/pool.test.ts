import { describe, expect, it } from "vitest";

import {
  judgeIdMapping,
  judgePoolHealth,
  mayBeTried,
} from "../../../../src/doctor/findings/pool.js";
import type { BtrfsHealth, ZfsHealth } from "../../../../src/spec/index.js";

const NOW = Date.UTC(2026, 10, 26);
const DAY = 86_400_000;
const WELL: ZfsHealth = {
  driver: "zfs",
  pool: "tank",
  state: "ONLINE",
  capacityPercent: 40,
  scrub: { kind: "done", endedMs: NOW - 3 * DAY },
  devices: [],
};

function zfs(
  over: Partial<ZfsHealth>,
): ReadonlyMap<string, { level: string; text: string; hint?: string }> {
  const found = judgePoolHealth({ ...WELL, ...over }, NOW);
  return new Map(found.map((finding) => [finding.check, finding]));
}

function btrfs(over: Partial<BtrfsHealth>) {
  const health = { driver: "btrfs", path: "/pool", isReadOnly: false, errors: [] } as const;
  return judgePoolHealth({ ...health, ...over }, NOW)[0];
}

describe("a ZFS pool", () => {
  it("is well when it is online, scrubbed of late and not full", () => {
    expect(judgePoolHealth(WELL, NOW).map(({ check, level }) => `${check}: ${level}`)).toEqual([
      "pool health: ok",
      "pool capacity: ok",
      "pool scrub: ok",
    ]);
  });

  it("is degraded when a device is away, and the device is named", () => {
    const devices = [{ name: "vdc", state: "OFFLINE", errors: 0 }];
    const finding = zfs({ state: "DEGRADED", devices }).get("pool health");
    expect(finding).toMatchObject({ level: "degraded", text: "tank is DEGRADED; vdc OFFLINE" });
    expect(finding?.hint).toContain("zpool online");
  });

  it("is degraded when a device has had errors, also while it is online", () => {
    const devices = [{ name: "vdb", state: "ONLINE", errors: 3 }];
    const finding = zfs({ devices }).get("pool health");
    expect(finding).toMatchObject({ level: "degraded", text: "tank is ONLINE; vdb 3 errors" });
  });

  it("is degraded when data are lost", () => {
    const finding = zfs({ dataErrors: "1 data errors, use '-v' for a list" }).get("pool health");
    expect(finding).toMatchObject({ level: "degraded" });
    expect(finding?.hint).toContain("zpool status -v tank");
  });

  it.each(["SUSPENDED", "FAULTED", "UNAVAIL", "REMOVED"])("is unfit when it is %s", (state) => {
    const finding = zfs({ state }).get("pool health");
    expect(finding).toMatchObject({ level: "unfit", text: `tank is ${state}` });
    expect(finding?.hint).toContain("zpool clear tank");
  });

  it.each([
    [80, "ok"],
    [81, "degraded"],
    [95, "degraded"],
    [96, "unfit"],
  ])("that is %i %% full is %s", (capacityPercent, level) => {
    expect(zfs({ capacityPercent }).get("pool capacity")?.level).toBe(level);
  });

  it.each([
    ["never", { kind: "never" }, "degraded"],
    ["60 days ago", { kind: "done", endedMs: NOW - 60 * DAY }, "ok"],
    ["61 days ago", { kind: "done", endedMs: NOW - 61 * DAY }, "degraded"],
    ["now", { kind: "running" }, "ok"],
    ["nobody knows when", { kind: "unknown" }, "ok"],
  ] as const)("that was scrubbed %s is %s", (_when, scrub, level) => {
    const finding = zfs({ scrub }).get("pool scrub");
    expect(finding?.level).toBe(level);
    expect(finding?.hint === undefined).toBe(level === "ok");
  });
});

describe("what hangs on a pool that fails", () => {
  it("is tried on one that is well, or only lacks a device", () => {
    expect(mayBeTried(WELL)).toBe(true);
    const devices = [{ name: "vdc", state: "OFFLINE", errors: 0 }];
    expect(mayBeTried({ ...WELL, state: "DEGRADED", devices })).toBe(true);
  });

  it("is not tried on one that is suspended, or has had errors", () => {
    expect(mayBeTried({ ...WELL, state: "SUSPENDED" })).toBe(false);
    const devices = [{ name: "vdb", state: "ONLINE", errors: 1 }];
    expect(mayBeTried({ ...WELL, devices })).toBe(false);
  });
});

describe("a btrfs pool", () => {
  it("is well without errors", () => {
    expect(btrfs({})?.level).toBe("ok");
  });

  it("is degraded when its device has had errors", () => {
    const errors = [{ device: "/dev/loop0", kind: "write_io", count: 2 }];
    const finding = btrfs({ errors });
    expect(finding).toMatchObject({ level: "degraded", text: "/dev/loop0 2 write_io errors" });
    expect(finding?.hint).toContain("btrfs scrub start /pool");
  });

  it("is unfit when the kernel has made it read-only", () => {
    expect(btrfs({ isReadOnly: true })).toMatchObject({
      level: "unfit",
      text: "/pool is read-only",
    });
  });
});

describe("judgeIdMapping", () => {
  const REFUSED = { errno: "EINVAL", detail: "mount_setattr" };

  it("is content when it was done", () => {
    expect(judgeIdMapping("zfs", "tank/henge", { detail: "" }, "2.3.9").level).toBe("ok");
  });

  it("says which OpenZFS has none, and which has", () => {
    const finding = judgeIdMapping("zfs", "tank/henge", REFUSED, "2.1.11");
    expect(finding.level).toBe("unfit");
    expect(finding.text).toBe("OpenZFS 2.1.11 has no id-mapped mounts (EINVAL): needs 2.2");
  });

  it("is unfit where btrfs has none", () => {
    expect(judgeIdMapping("btrfs", "/pool", REFUSED, undefined)).toMatchObject({
      level: "unfit",
      hint: "Boot Linux 5.15 or later.",
    });
  });

  it("is degraded when what is to be mapped could not be opened", () => {
    const probed = { errno: "EACCES", detail: "mount" };
    const finding = judgeIdMapping("zfs", "tank/henge", probed, "2.3.9");
    expect(finding.level).toBe("degraded");
    expect(finding.text).toBe("could not be tried on tank/henge: mount EACCES");
  });
});
