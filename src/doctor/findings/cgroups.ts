// Judges the cgroup2 mount and the controllers Henge may hand to cells. Pure.

import { CONTROLLERS } from "../../spec/index.js";
import type { CgroupFacts, CgroupMounts } from "../../kernel/port.js";
import type { Finding } from "../port.js";
import { degraded, ok, unfit } from "./verdict.js";

/** `facts` is absent when there is no cgroup2 mount. */
export function judgeCgroups(
  facts: CgroupFacts | undefined,
  mounts: CgroupMounts,
): readonly Finding[] {
  if (facts === undefined) {
    const hint = "Mount one: mkdir -p /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup";
    return [unfit("cgroup2", "not mounted", hint)];
  }
  return [
    judgeMount(facts, mounts.heldByV1),
    judgeDelegation(facts, mounts.options),
    judgeControllers(facts, mounts.heldByV1),
  ];
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

/** With it nothing leaves the cgroup its namespace begins at, whoever owns the files. */
function judgeDelegation({ mount }: CgroupFacts, options: readonly string[]): Finding {
  if (options.includes("nsdelegate")) return ok("nsdelegate", `cgroup2 is mounted with it`);
  return degraded(
    "nsdelegate",
    "cgroup2 is mounted without it: a cgroup namespace is no border of delegation",
    `Run mount -o remount,nsdelegate ${mount}; systemd mounts it so at boot.`,
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
