import { expect, it } from "vitest";

import { parseMountAt } from "../../../src/storage/mounts.js";

const mountinfo = `27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
68 27 0:41 / /var/lib/henge/pool rw,nosuid,nodev,noatime - btrfs /dev/loop0 rw,subvolid=5,subvol=/
70 27 0:43 /inner /with\\040space rw master:2 - zfs tank/a\\040b rw
71 68 0:44 / /var/lib/henge/pool rw - tmpfs tmpfs rw
`;

it("finds the topmost of what is mounted at one path", () => {
  expect(parseMountAt(mountinfo, "/var/lib/henge/pool")).toEqual({
    type: "tmpfs",
    source: "tmpfs",
    root: "/",
    isReadOnly: false,
  });
});

it("reads names with spaces, and a mount of a part of a file system", () => {
  expect(parseMountAt(mountinfo, "/with space")).toEqual({
    type: "zfs",
    source: "tank/a b",
    root: "/inner",
    isReadOnly: false,
  });
});

it("finds nothing at a directory of a mounted file system", () => {
  expect(parseMountAt(mountinfo, "/var/lib/henge")).toBeUndefined();
});

it.each([
  ["the mount", "ro,nosuid", "rw,ssd"],
  ["its file system", "rw,nosuid", "ro,ssd"],
])("tells that %s is read-only", (_what, options, superOptions) => {
  const line = `68 27 0:41 / /pool ${options} - btrfs /dev/loop0 ${superOptions}`;
  expect(parseMountAt(line, "/pool")?.isReadOnly).toBe(true);
});
