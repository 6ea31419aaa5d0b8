// Judges what was tried of the kernel's facilities. Pure.

import type { Probed } from "../../kernel/port.js";
import type { Finding } from "../port.js";
import { degraded, ok, unfit } from "./verdict.js";

interface Facility {
  readonly level: "unfit" | "degraded";
  /** The kernel that has it first. */
  readonly since: string;
  /** What cannot be done without it. */
  readonly use: string;
}

const NAMESPACES = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"] as const;

function hard(since: string, use: string): Facility {
  return { level: "unfit", since, use };
}
function soft(since: string, use: string): Facility {
  return { level: "degraded", since, use };
}

/** By the name the probe gives them. Henge has no second way to what is `unfit` without one. */
const FACILITIES: Readonly<Record<string, Facility>> = {
  openat2: hard("5.6", "paths in a cell's root that lead nowhere else"),
  fsopen: hard("5.2", "mounts by descriptor"),
  open_tree: hard("5.2", "mounts by descriptor"),
  move_mount: hard("5.2", "mounts by descriptor"),
  mount_setattr: hard("5.12", "read-only and id-mapped mounts"),
  clone3: hard("5.7", "processes born within their limits"),
  pidfd: hard("5.3", "signals that reach nobody else"),
  "cgroup.kill": hard("5.14", "ending all that a unit has left"),
  close_range: hard("5.11", "units without the warden's descriptors"),
  memfd: hard("3.17", "a warden whose program no cell can overwrite"),
  subreaper: hard("3.4", "a warden that hears of every exit"),
  ...Object.fromEntries(
    NAMESPACES.map((name) => [`${name} namespace`, hard("4.6", "the boundary of cells")]),
  ),
  psi: soft("5.2", "events of pressure"),
  "memory.oom.group": soft("4.19", "a cell that ends as a whole for want of memory"),
  "memory.peak": soft("5.19", "the most memory a cell has used"),
  seccomp: soft("4.14", "filters of system calls"),
};

/** One line for all that work, one for each that does not, and Landlock, which nothing of Henge needs yet. */
export function judgeFacilities(probed: ReadonlyMap<string, Probed>): readonly Finding[] {
  const found = Object.entries(FACILITIES).map(([name, facility]) =>
    judgeFacility(name, facility, probed.get(name)),
  );
  const working = found.filter(({ level }) => level === "ok").map(({ check }) => check);
  return [
    ...(working.length === 0 ? [] : [ok("facilities", `tried: ${working.join(", ")}`)]),
    ...found.filter(({ level }) => level !== "ok"),
    judgeLandlock(probed.get("landlock")),
  ];
}

function judgeFacility(name: string, facility: Facility, probed: Probed | undefined): Finding {
  const { level, use } = facility;
  if (probed !== undefined && probed.errno === undefined) return ok(name, "works");
  const verdict = level === "unfit" ? unfit : degraded;
  const why = [probed?.errno ?? "it was not tried", probed?.detail ?? ""]
    .filter(Boolean)
    .join(", ");
  return verdict(name, `no ${use}: ${why}`, hintFor(name, facility, probed?.errno));
}

function hintFor(name: string, { since }: Facility, errno: string | undefined): string {
  if (name === "psi" && isAbsent(errno)) return "Boot with psi=1.";
  if (name.startsWith("memory.") && errno === "ENOENT")
    return "It comes with the memory controller: see controllers.";
  if (name.endsWith(" namespace") && errno === "ENOSPC") {
    const sysctl = `user.max_${name.replace(" namespace", "")}_namespaces`;
    return `Set sysctl ${sysctl} to some thousands; every cell needs one.`;
  }
  if (name === "memfd" && errno === "EACCES") return "Set sysctl vm.memfd_noexec to 1 or 0.";
  if (errno === "EPERM" || errno === "EACCES")
    return "Something forbids it to the daemon: start it on the host itself, in no container and under no filter of system calls.";
  return `Linux ${since} or later has it, when it is not left out of its configuration: boot a distribution's kernel.`;
}

function isAbsent(errno: string | undefined): boolean {
  return errno === "ENOENT" || errno === "EOPNOTSUPP";
}

function judgeLandlock(probed: Probed | undefined): Finding {
  const text =
    probed === undefined || probed.errno !== undefined
      ? `none (${probed?.errno ?? "not tried"}); nothing needs it yet`
      : probed.detail;
  return ok("Landlock", text);
}
