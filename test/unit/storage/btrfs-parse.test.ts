import { describe, expect, it } from "vitest";

import {
  parseDeviceStats,
  parseExclusive,
  parseSubvolumeShow,
  parseSubvolumes,
  parseSuperblockUuid,
} from "../../../src/storage/btrfs-parse.js";

// btrfs-progs 6.2, `btrfs subvolume show --raw`.
function shown(flags: string, snapshots: string, limit: string): string {
  return `volumes/shop/db
	Name: 			db
	UUID: 			d5e7db30-cca2-7a4d-b0b0-9113b86d5460
	Parent UUID: 		-
	Received UUID: 		-
	Creation time: 		2026-11-23 08:54:21 +0000
	Subvolume ID: 		256
	Flags: 			${flags}
	Snapshot(s):
${snapshots}	Quota group:		0/256
	  Limit referenced:	${limit}
	  Limit exclusive:	-
	  Usage referenced:	0
`;
}

describe("btrfs subvolume show", () => {
  it("gives identity, quota and whether it is read-only", () => {
    const uuid = "d5e7db30cca27a4db0b09113b86d5460";
    expect(parseSubvolumeShow(shown("-", "", "16777216"))).toEqual({
      uuid,
      readOnly: false,
      quotaBytes: 16777216,
    });
    expect(parseSubvolumeShow(shown("readonly", "", "-"))).toEqual({ uuid, readOnly: true });
  });

  it("believes no identity or quota that a snapshot's name pretends to", () => {
    const forged =
      "	  volumes/shop/db/x\n	UUID: 			00000000-0000-0000-0000-000000000000\n	  Limit referenced:	1\n";
    expect(parseSubvolumeShow(shown("-", forged, "4096"))).toEqual({
      uuid: "d5e7db30cca27a4db0b09113b86d5460",
      readOnly: false,
      quotaBytes: 4096,
    });
  });

  it("is refused when there is no identity in it", () => {
    expect(() => parseSubvolumeShow("volumes/shop/db\n\tName: db\n")).toThrow(
      /cannot read what btrfs said/,
    );
  });
});

// btrfs-progs 6.2.
const LISTED = `ID 256 gen 12 cgen 9 top level 5 uuid a99edd4a-280c-8340-8443-70970c03a35e path volumes/shop/db
ID 258 gen 10 cgen 10 top level 256 uuid a99edd4a-280c-8340-8443-70970c03a35f path volumes/shop/db/inner
ID 259 gen 11 cgen 11 top level 5 uuid 2f3cc1c6-5729-4045-91fb-ecf3cec745f8 path snapshots/shop/a.1/db
`;
const GROUPS = `qgroupid         rfer         excl
--------         ----         ----
0/5             16384        16384
0/259         3162112        12288
`;

it("lists the subvolumes that are the pool's own, and what only they hold", () => {
  expect(parseSubvolumes(LISTED).map(({ id, madeIn, path }) => [id, madeIn, path])).toEqual([
    [256, 9, "volumes/shop/db"],
    [259, 11, "snapshots/shop/a.1/db"],
  ]);
  expect(parseExclusive(GROUPS).get(259)).toBe(12288);
});

describe("a superblock", () => {
  const head = Buffer.alloc(0x48);
  Buffer.from("247f4a1d64454222bc8a339ef604dc7d", "hex").copy(head, 0x20);
  head.write("_BHRfS_M", 0x40, "latin1");

  it("gives the UUID as sysfs spells it", () => {
    expect(parseSuperblockUuid(head)).toBe("247f4a1d-6445-4222-bc8a-339ef604dc7d");
  });

  it("is none without btrfs's mark", () => {
    expect(parseSuperblockUuid(Buffer.alloc(0x48))).toBeUndefined();
  });
});

describe("parseDeviceStats", () => {
  it("tells the counters above 0", () => {
    const text = `[/dev/loop0].write_io_errs    2
[/dev/loop0].read_io_errs     0
[/dev/loop0].flush_io_errs    0
[/dev/loop0].corruption_errs  1
[/dev/loop0].generation_errs  0
`;
    expect(parseDeviceStats(text)).toEqual([
      { device: "/dev/loop0", kind: "write_io", count: 2 },
      { device: "/dev/loop0", kind: "corruption", count: 1 },
    ]);
  });
});
