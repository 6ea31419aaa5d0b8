// The OCI form of the cell that is measured: the same namespaces, id map, root and mounts.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface BundleOptions {
  readonly argv: readonly string[];
  /** Absolute directory of the root filesystem. */
  readonly rootfs: string;
  /** Below the cgroup2 mount. */
  readonly cgroupsPath: string;
}

export function writeBundle(directory: string, options: BundleOptions): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "config.json"), JSON.stringify(ociSpec(options)));
}

function ociSpec({ argv, rootfs, cgroupsPath }: BundleOptions): unknown {
  const idMap = [{ containerID: 0, hostID: 1 << 20, size: 65_536 }];
  return {
    ociVersion: "1.0.2",
    process: {
      user: { uid: 0, gid: 0 },
      args: argv,
      env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
      cwd: "/",
      noNewPrivileges: true,
      capabilities: { bounding: CAPABILITIES, effective: CAPABILITIES, permitted: CAPABILITIES },
    },
    root: { path: rootfs, readonly: true },
    hostname: "bench",
    mounts: MOUNTS,
    linux: {
      // No `resources`: on a hybrid host crun would ask for controllers cgroup2 does not have there.
      cgroupsPath,
      uidMappings: idMap,
      gidMappings: idMap,
      namespaces: ["pid", "ipc", "uts", "mount", "cgroup", "user"].map((type) => ({ type })),
      readonlyPaths: FROZEN,
      maskedPaths: MASKED,
    },
  };
}

// As src/warden/child.c and src/warden/kernelfs.c have them.
const CAPABILITIES = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID"].map(
  (name) => `CAP_${name}`,
);
const FROZEN = ["sys", "bus", "fs", "irq", "driver", "mtrr", "sysrq-trigger"].map(inProc);
const MASKED = [
  ...["acpi", "asound", "interrupts", "kcore", "keys", "latency_stats", "sched_debug"].map(inProc),
  ...["scsi", "timer_list", "timer_stats", "kallsyms", "kpagecount", "kpageflags"].map(inProc),
  ...["kpagecgroup", "vmallocinfo", "slabinfo", "iomem", "ioports"].map(inProc),
  ...["firmware", "kernel/debug", "kernel/tracing", "kernel/security", "fs/bpf"].map(inSys),
  ...["fs/pstore", "module", "class/block", "devices/virtual/powercap"].map(inSys),
];

const MOUNTS = [
  mount("/proc", "proc", "proc", []),
  mount("/dev", "tmpfs", "tmpfs", ["nosuid", "mode=755", "size=64k"]),
  mount("/dev/pts", "devpts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666"]),
  mount("/dev/shm", "tmpfs", "shm", ["nosuid", "noexec", "nodev", "mode=1777"]),
  mount("/sys", "none", "/sys", ["rbind", "nosuid", "noexec", "nodev", "ro"]),
  mount("/run", "tmpfs", "tmpfs", ["nosuid", "nodev", "mode=755"]),
  mount("/tmp", "tmpfs", "tmpfs", ["nosuid", "nodev", "mode=1777"]),
];

function inProc(name: string): string {
  return `/proc/${name}`;
}

function inSys(name: string): string {
  return `/sys/${name}`;
}

function mount(destination: string, type: string, source: string, options: readonly string[]) {
  return { destination, type, source, options };
}
