import { describe, expect, it } from "vitest";

import { controllersOfV1, findCgroup2, parseMountInfo } from "../../../src/kernel/mountinfo.js";

const UNIFIED = `22 27 0:21 / /proc rw,nosuid shared:12 - proc proc rw
30 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev shared:9 master:2 - cgroup2 cgroup2 rw,nsdelegate
`;
const HYBRID = `31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct
33 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
34 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
`;

describe("parseMountInfo", () => {
  it("reads lines with any number of optional fields", () => {
    expect(parseMountInfo(UNIFIED).map((mount) => [mount.mountPoint, mount.fsType])).toEqual([
      ["/proc", "proc"],
      ["/sys/fs/cgroup", "cgroup2"],
    ]);
  });

  it("undoes the kernel's octal escapes", () => {
    const [mount] = parseMountInfo(
      "1 2 0:3 /a\\134b /mnt/two\\040words\\011\\012 rw - ext4 /dev/sda rw\n",
    );
    expect(mount).toMatchObject({ root: "/a\\b", mountPoint: "/mnt/two words\t\n" });
  });

  it("leaves out lines that are no mount", () => {
    expect(parseMountInfo("\nnonsense\n1 2 0:3 / /x rw\n")).toEqual([]);
  });
});

describe("findCgroup2", () => {
  it("finds the mount of a hybrid host where it is", () => {
    expect(findCgroup2(parseMountInfo(HYBRID))?.mountPoint).toBe("/sys/fs/cgroup/unified");
  });

  it("prefers /sys/fs/cgroup to another mount of it", () => {
    const another = "50 1 0:26 / /mnt/cgroup rw - cgroup2 none rw\n";
    expect(findCgroup2(parseMountInfo(another + UNIFIED))?.mountPoint).toBe("/sys/fs/cgroup");
  });

  it("finds none where there is none", () => {
    expect(findCgroup2(parseMountInfo("22 27 0:21 / /proc rw - proc proc rw\n"))).toBeUndefined();
  });
});

describe("controllersOfV1", () => {
  it("names the controllers v1 hierarchies hold, and not the named hierarchy", () => {
    expect(controllersOfV1(parseMountInfo(HYBRID))).toEqual(["cpu", "cpuacct", "memory"]);
    expect(controllersOfV1(parseMountInfo(UNIFIED))).toEqual([]);
  });
});
