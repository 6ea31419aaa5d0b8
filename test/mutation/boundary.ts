// What keeps a cell from the host, and the warden and PID 1 from both. Some are second lines behind another defence.

import type { Mutation } from "./mutation.js";

const BOUNDARY = {
  test: "test/system/warden-boundary.test.ts",
  built: true,
} as const;
const MASKED =
  "the boundary of a cell > covers each file and directory of the kernel's that is masked";
const READ_ONLY =
  "the boundary of a cell > keeps what would change the host's kernel in /proc from being written";

export const CELL_BOUNDARY: readonly Mutation[] = [
  {
    // Every look for a mount point refuses links first; this is for one that is put in its way in between.
    name: "a mount point is made through a link that a volume has",
    file: "src/warden/boundary/rootfs.c",
    from: "uint64_t resolve = RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH;",
    to: "uint64_t resolve = 0;",
    also: {
      file: "src/warden/lib/mount.c",
      from: "RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS",
      to: "RESOLVE_IN_ROOT",
    },
    test: "test/system/warden-image.test.ts",
    fails: "a cell on an image > never follows a symbolic link of a volume to a mount point",
    built: true,
  },
  // Each mask is a word of one list; /proc/kcore, which not every host has, is covered by the same test where it is.
  {
    name: "the host's keys are not masked",
    file: "src/warden/boundary/kernelfs.c",
    from: '"/proc/keys",',
    to: "",
    fails: MASKED,
    ...BOUNDARY,
  },
  {
    name: "the kernel's debugger is not masked",
    file: "src/warden/boundary/kernelfs.c",
    from: '"/sys/kernel/debug",',
    to: "",
    fails: MASKED,
    ...BOUNDARY,
  },
  {
    name: "the kernel's tracer is not masked",
    file: "src/warden/boundary/kernelfs.c",
    from: '"/sys/kernel/tracing",',
    to: "",
    fails: MASKED,
    ...BOUNDARY,
  },
  // So is each of these, where a host has it; every host has interrupts.
  {
    name: "interrupts can be moved by who may write there",
    file: "src/warden/boundary/kernelfs.c",
    from: '"/proc/irq",',
    to: "",
    fails: READ_ONLY,
    ...BOUNDARY,
  },
  {
    // No descriptor of a directory is left to go through: arrange_fds has closed them.
    name: "a unit works in a directory of the host's that a descriptor led to",
    file: "src/warden/units/child.c",
    from: "return seen[0] == '/' ? 0 : fail_with(fail, ENOENT, \"chdir\", path);",
    to: "return 0;",
    also: {
      file: "src/warden/units/child.c",
      from: "int err = kernel_close_range((unsigned int)last + 1, ~0U, 0);",
      to: "int err = 0;",
    },
    test: "test/system/warden-start.test.ts",
    fails: "a start that fails > refuses a working directory that is a descriptor's, not a path",
    built: true,
  },
  {
    name: "the warden's memory can be read by a root that may not trace",
    file: "src/warden/cell/detach.c",
    from: " || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0",
    to: "",
    fails:
      "the boundary of a cell > has a warden whose memory a root that may not trace it cannot read",
    ...BOUNDARY,
  },
  {
    name: "units share a session keyring",
    file: "src/warden/units/child.c",
    from: "int err = kernel_new_session_keyring();",
    to: "int err = 0;",
    test: "test/system/warden-given.test.ts",
    fails: "what a unit is given > is a session keyring of its own, that no other unit has",
    built: true,
  },
  {
    name: "a unit may dump core",
    file: "src/warden/units/child.c",
    from: 'err = set_limit(RLIMIT_CORE, 1, "core", fail)',
    to: "err = 0",
    test: "test/system/warden-given.test.ts",
    fails: "what a unit is given > is limits of its own, and no core dump",
    built: true,
  },
  {
    name: "a cell's /dev can be written",
    file: "src/warden/boundary/kernelfs.c",
    from: 'err = mount_restrict(dev, MOUNT_ATTR_RDONLY, -1, false, "/dev", fail)',
    to: "err = 0",
    fails: "the boundary of a cell > has a /dev that cannot be added to",
    ...BOUNDARY,
  },
  {
    name: "setuid programs of the host's root are honoured",
    file: "src/warden/boundary/rootfs.c",
    from: "MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;",
    to: "MOUNT_ATTR_RDONLY;",
    fails: "the boundary of a cell > honours no setuid bit and no device node of the host's root",
    ...BOUNDARY,
  },
  {
    name: "PID 1 of a cell keeps its capabilities",
    file: "src/warden/boundary/init.c",
    from: "err = kernel_capset(0);",
    to: "err = 0;",
    fails: "the boundary of a cell > has a PID 1 without any capability",
    ...BOUNDARY,
  },
  {
    name: "a cell sees the daemon's own directories",
    file: "src/main.ts",
    from: "hidden: [paths.state, paths.run],",
    to: "hidden: [],",
    test: "test/system/hidden.test.ts",
    fails: "shows a cell the daemon's directories as empty ones",
    built: true,
  },
  {
    // What lets nothing of a cell's in would drop it later.
    name: "a cell's packet for 127.0.0.1 gets past the first chain",
    file: "src/network/ruleset.ts",
    from: "        `iifname ${veths} ip daddr 127.0.0.0/8 drop`,\n",
    to: "",
    test: "test/system/network-boundary.test.ts",
    fails:
      "the boundary of a cell's network > keeps the cell from the host's 127.0.0.1, though its veth routes that",
  },
  {
    name: "a neighbour's packet for 127.0.0.1 is translated",
    file: "src/network/ruleset.ts",
    from: "ip daddr != 127.0.0.0/8 dnat ip to",
    to: "dnat ip to",
    test: "test/system/network-boundary.test.ts",
    fails:
      "the boundary of a cell's network > keeps a neighbour from a port that is published on 127.0.0.1 alone",
  },
];
