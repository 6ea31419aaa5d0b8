// Judges the kernel's version, the daemon's rights, the tools at hand, entropy and NUMA. Pure.

import type { Finding } from "../port.js";
import { degraded, ok, unfit } from "./verdict.js";
import { isAtLeast } from "./version.js";

/** cgroup.kill is of 5.14, id-mapped btrfs of 5.15; 6.1 is the oldest kernel that is tested for (Debian 12). */
const KERNEL_FLOOR = "6.1";
const ENTROPY_BITS = 256;

/** `release` is that of uname(2), e.g. `6.12.48+deb13-amd64`. */
export function judgeKernel(release: string): Finding {
  if (isAtLeast(release, KERNEL_FLOOR)) return ok("kernel", `Linux ${release}`);
  return unfit(
    "kernel",
    `Linux ${release} is older than ${KERNEL_FLOOR}`,
    `Install a kernel of at least ${KERNEL_FLOOR}, e.g. Debian 12's.`,
  );
}

/** `isHeld` by the process whose rights wardens inherit. */
export function judgeCapabilities(isHeld: boolean): Finding {
  if (isHeld) return ok("CAP_SYS_RESOURCE", "held");
  const text =
    "missing: nofile cannot be raised above the inherited limit, nor oom_score_adj lowered";
  return degraded("CAP_SYS_RESOURCE", text, "Start the daemon as root with its full bounding set.");
}

export interface Tool {
  readonly name: string;
  /** Debian's package of it. */
  readonly package: string;
  /** What cannot be done without it. */
  readonly purpose: string;
}

/** `path` is where it was found; absent when it was not. */
export function judgeTool(tool: Tool, path: string | undefined): Finding {
  if (path !== undefined) return ok(tool.name, path);
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
