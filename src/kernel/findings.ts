// Judges what was read of the host: one line of `henge doctor` each, with what to do. Pure: it reads nothing.

import type { Controller } from "../spec/index.js";
import type { CgroupFacts, Finding } from "./port.js";

/** cgroup.kill is of 5.14, id-mapped btrfs of 5.15; 6.1 is the oldest kernel that is tested for (Debian 12). */
const KERNEL_FLOOR = "6.1";

const CONTROLLERS = [
  "cpu",
  "cpuset",
  "memory",
  "io",
  "pids",
] as const satisfies readonly Controller[];
const CAP_SYS_RESOURCE = 24n;
const ENTROPY_BITS = 256;
const MIB = 1024 * 1024;
const LOW_SPACE_BYTES = 2048 * MIB;
const NO_SPACE_BYTES = 128 * MIB;
const CLOCK_FLOOR_MS = Date.UTC(2026, 0, 1);

/** `release` is that of uname(2), e.g. `6.12.48+deb13-amd64`. */
export function judgeKernel(release: string): readonly Finding[] {
  if (isAtLeast(release, KERNEL_FLOOR)) {
    return [ok("kernel", `Linux ${release}`), ok("id-mapped mounts", `Linux ${release} has them`)];
  }
  const hint = `Install a kernel of at least ${KERNEL_FLOOR}, e.g. Debian 12's.`;
  return [
    unfit("kernel", `Linux ${release} is older than ${KERNEL_FLOOR}`, hint),
    unfit("id-mapped mounts", `not relied on below Linux ${KERNEL_FLOOR}`, hint),
  ];
}

/** `heldByV1`: controllers bound to cgroup v1 hierarchies. `facts` is absent when there is no cgroup2 mount. */
export function judgeCgroups(
  facts: CgroupFacts | undefined,
  heldByV1: readonly string[],
): readonly Finding[] {
  if (facts === undefined) {
    const hint = "Mount one: mkdir -p /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup";
    return [unfit("cgroup2", "not mounted", hint)];
  }
  return [judgeMount(facts, heldByV1), judgeControllers(facts, heldByV1)];
}

function judgeMount(facts: CgroupFacts, heldByV1: readonly string[]): Finding {
  const text = `mounted at ${facts.mount}, Henge's subtree is ${facts.subtree}`;
  if (heldByV1.length === 0) return ok("cgroup2", text);
  const hybrid = `hybrid with v1, which holds ${heldByV1.join(", ")}; ${text}`;
  return degraded(
    "cgroup2",
    hybrid,
    "Boot with systemd.unified_cgroup_hierarchy=1 or cgroup_no_v1=all.",
  );
}

function judgeControllers(facts: CgroupFacts, heldByV1: readonly string[]): Finding {
  const missing = CONTROLLERS.filter((name) => !facts.offered.includes(name));
  if (missing.length === 0) return ok("controllers", facts.offered.join(", "));
  const text = `missing: ${missing.join(", ")}; offered: ${facts.offered.join(", ") || "none"}`;
  const remedy =
    heldByV1.length > 0
      ? "Boot without cgroup v1"
      : "Give the daemon a delegated cgroup for its cells: henged --help says how.";
  return degraded(
    "controllers",
    text,
    `${remedy}; until then limits that need them are refused unless --allow-missing-controllers accepts it.`,
  );
}

export function judgePressure(readable: boolean): Finding {
  if (readable) return ok("pressure", "/proc/pressure is there");
  return degraded(
    "pressure",
    "no /proc/pressure",
    "Boot with psi=1 to see pressure stall information.",
  );
}

/** `status` is the text of /proc/self/status. */
export function judgeCapabilities(status: string): Finding {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  if (((BigInt(`0x${mask}`) >> CAP_SYS_RESOURCE) & 1n) === 1n) {
    return ok("CAP_SYS_RESOURCE", "held");
  }
  const text =
    "missing: nofile cannot be raised above the inherited limit, nor oom_score_adj lowered";
  return degraded("CAP_SYS_RESOURCE", text, "Start the daemon as root with its full bounding set.");
}

/** `maximum` is the text of /proc/sys/user/max_user_namespaces; absent when the kernel has none. */
export function judgeUserNamespaces(maximum: string | undefined): Finding {
  if (Number(maximum ?? "0") > 0) return ok("user namespaces", "available");
  return unfit(
    "user namespaces",
    maximum === undefined ? "not built into this kernel" : "forbidden by user.max_user_namespaces",
    "Set sysctl user.max_user_namespaces to some thousands; cells with an image root need one each.",
  );
}

export interface Tool {
  readonly name: string;
  /** Debian's package of it. */
  readonly package: string;
  /** What cannot be done without it. */
  readonly purpose: string;
  /** Where it was found; absent when it was not. */
  readonly path?: string;
}

export function judgeTool(tool: Tool): Finding {
  if (tool.path !== undefined) return ok(tool.name, tool.path);
  return degraded(
    tool.name,
    `not found: no ${tool.purpose}`,
    `Run apt-get install ${tool.package}.`,
  );
}

/** `ipForward` is the text of /proc/sys/net/ipv4/ip_forward. */
export function judgeForwarding(ipForward: string | undefined): Finding {
  if (ipForward?.trim() === "1")
    return ok("forwarding", "on: ports can be published on any address");
  const hint =
    "To publish on an address of the network, set sysctl net.ipv4.ip_forward=1 yourself.";
  return degraded("forwarding", "off: ports can be published on 127.0.0.1 only", hint);
}

export function judgeClock(nowMs: number): Finding {
  if (nowMs >= CLOCK_FLOOR_MS) return ok("clock", new Date(nowMs).toISOString());
  const text = `it is not ${new Date(nowMs).toISOString()}`;
  return degraded(
    "clock",
    text,
    "Set the clock and keep it set: apt-get install systemd-timesyncd.",
  );
}

/** `available` is the text of /proc/sys/kernel/random/entropy_avail, in bits: 256 once it is seeded (Linux 5.18). */
export function judgeEntropy(available: string | undefined): Finding {
  const bits = Number(available ?? "0");
  if (bits >= ENTROPY_BITS) return ok("entropy", `${String(bits)} bits`);
  const hint = "Give the host a random source; a virtual machine, a virtio-rng device.";
  return degraded("entropy", `${String(bits)} of ${String(ENTROPY_BITS)} bits`, hint);
}

/** `online` is the text of /sys/devices/system/node/online; absent when the kernel knows no nodes. */
export function judgeNuma(online: string | undefined): Finding {
  return ok("NUMA nodes", online?.trim() ?? "none: all memory is equally near");
}

export function judgeSpace(check: string, directory: string, freeBytes: number): Finding {
  const text = `${String(Math.floor(freeBytes / MIB))} MiB free at ${directory}`;
  const hint = "Make room, or move it with HENGE_ROOT to a larger file system.";
  if (freeBytes < NO_SPACE_BYTES) return unfit(check, text, hint);
  return freeBytes < LOW_SPACE_BYTES ? degraded(check, text, hint) : ok(check, text);
}

export function ok(check: string, text: string): Finding {
  return { check, level: "ok", text };
}

function degraded(check: string, text: string, hint: string): Finding {
  return { check, level: "degraded", text, hint };
}

export function unfit(check: string, text: string, hint: string): Finding {
  return { check, level: "unfit", text, hint };
}

function isAtLeast(release: string, floor: string): boolean {
  const [major = 0, minor = 0] = release.split(".").map((part) => Number.parseInt(part, 10));
  const [floorMajor = 0, floorMinor = 0] = floor.split(".").map(Number);
  return major > floorMajor || (major === floorMajor && minor >= floorMinor);
}
