// What a manifest shows in a cell: volumes, temporary file systems and single files, and the targets they may have.

import { describe, expect, it } from "vitest";

import { HEAD, parseCell, problemsOf } from "./fixture.js";

const TARGET =
  "expected an absolute path without . or .. segments, doubled or trailing slashes, " +
  "that is not / nor in /proc, /sys or /dev";

describe("mounts", () => {
  it("reads all three kinds", () => {
    const { boundary } = parseCell(`volumes: { data: {} }
mounts:
  - { volume: data, path: /var/lib/data, owner: 100, mode: "0750", read-only: true }
  - { volume: data, path: /srv }
tmpfs: [/tmp, { path: /run, size: 1MiB }, { path: /x }]
files: [{ source: /etc/a.conf, path: /etc/b.conf }]
`);
    expect(boundary.mounts).toEqual([
      { volume: "data", path: "/var/lib/data", readOnly: true, owner: "100", mode: 0o750 },
      { volume: "data", path: "/srv", readOnly: false },
    ]);
    expect(boundary.tmpfs).toEqual([
      { path: "/tmp", sizeBytes: 67_108_864 },
      { path: "/run", sizeBytes: 1_048_576 },
      { path: "/x", sizeBytes: 67_108_864 },
    ]);
    expect(boundary.files).toEqual([{ source: "/etc/a.conf", path: "/etc/b.conf" }]);
  });

  it.each([
    "/",
    "",
    "data",
    "./data",
    "/a/../b",
    "/a/..",
    "/a/./b",
    "/a//b",
    "/a/",
    "//a",
    "/proc",
    "/proc/1",
    "/sys",
    "/sys/fs",
    "/dev",
    "/dev/shm",
    "/a\nb",
  ])("refuses the target %j", (path) => {
    const text = `${HEAD}files: [{ source: /etc/a, path: ${JSON.stringify(path)} }]`;
    expect(problemsOf(text)).toEqual([
      `4:33 files[0].path: ${TARGET}, got the string ${JSON.stringify(path)}`,
    ]);
  });

  it.each(["/procs", "/system", "/developer", "/a/proc", "/..a", "/a..", "/a b"])(
    "takes the target %j",
    (path) => {
      expect(problemsOf(`${HEAD}tmpfs: [${JSON.stringify(path)}]`)).toEqual([]);
    },
  );

  it.each([
    ["mode: 0700", "this is not a plain decimal number; put it in quotes if it is text"],
    [
      "mode: 700",
      'expected an octal mode in quotes such as "0700", got the number 700; put it in quotes',
    ],
    ['mode: "4755"', 'expected an octal mode in quotes such as "0700", got the string "4755"'],
    ['mode: "0899"', 'expected an octal mode in quotes such as "0700", got the string "0899"'],
  ])("refuses %s", (mode, problem) => {
    const text = `${HEAD}volumes: { a: {} }\nmounts: [{ volume: a, path: /a, ${mode} }]`;
    expect(problemsOf(text)).toEqual([`5:39 mounts[0].mode: ${problem}`]);
  });

  it.each([
    ["tmpfs: [{ size: 1MiB }]", `4:9 tmpfs[0].path: missing: ${TARGET}`],
    [
      "tmpfs: [tmp]",
      `4:9 tmpfs[0]: ${TARGET}, or a mapping of path and size, got the string "tmp"`,
    ],
    [
      "tmpfs: [{ path: /a, size: 1PiB }]",
      '4:27 tmpfs[0].size: expected a size from 4KiB to 1024TiB (units B, KiB, MiB, GiB, TiB), got the string "1PiB"',
    ],
  ])("refuses %s", (line, problem) => {
    expect(problemsOf(HEAD + line)).toEqual([problem]);
  });
});
