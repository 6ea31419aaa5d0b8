// Judges the storage pool: how it is, how full, and whether its volumes can be id-mapped. Pure.

import type { BtrfsHealth, PoolHealth, ZfsHealth } from "../../spec/index.js";
import type { Probed } from "../../kernel/port.js";
import type { Finding } from "../port.js";
import { OPENZFS_FLOOR } from "./openzfs.js";
import { degraded, ok, unfit } from "./verdict.js";

const DAY_MS = 86_400_000;
const SCRUB_DAYS = 60;
const FULL_PERCENT = 80;
const STUFFED_PERCENT = 95;

export function judgePoolHealth(health: PoolHealth, nowMs: number): readonly Finding[] {
  switch (health.driver) {
    case "zfs":
      return [judgeZfs(health), ...judgeCapacity(health), judgeScrub(health, nowMs)];
    case "btrfs":
      return [judgeBtrfs(health)];
  }
}

function judgeZfs(health: ZfsHealth): Finding {
  const { pool, state, devices, dataErrors } = health;
  const bad = devices.map(({ name, state: its, errors }) =>
    [name, its === "ONLINE" ? "" : its, errors === 0 ? "" : `${String(errors)} errors`]
      .filter(Boolean)
      .join(" "),
  );
  const text = [`${pool} is ${state}`, ...bad, ...(dataErrors === undefined ? [] : [dataErrors])];
  const hint = `zpool status -v ${pool} says why; `;
  const mend = `zpool online or zpool replace mends a device, then zpool clear ${pool}`;
  const said = text.join("; ");
  if (!isUsable(health)) return unfit("pool health", said, `${hint}${mend}.`);
  if (state === "ONLINE" && bad.length === 0 && dataErrors === undefined)
    return ok("pool health", said);
  const restore = dataErrors === undefined ? "" : "; the files it names come back from a copy only";
  return degraded("pool health", said, `${hint}${mend}${restore}.`);
}

function isUsable({ state }: ZfsHealth): boolean {
  return state === "ONLINE" || state === "DEGRADED";
}

/** What is tried on a pool that has begun to fail may sleep in the kernel for ever, where no signal reaches it. */
export function mayBeTried(health: PoolHealth): boolean {
  return (
    health.driver === "btrfs" ||
    (isUsable(health) && health.devices.every(({ errors }) => errors === 0))
  );
}

function judgeCapacity({ pool, capacityPercent }: ZfsHealth): readonly Finding[] {
  if (capacityPercent === undefined) return [];
  const text = `${pool} is ${String(capacityPercent)} % full`;
  const hint = `Destroy snapshots and data, or add devices: zpool add ${pool}. It is slow above ${String(FULL_PERCENT)} %.`;
  if (capacityPercent > STUFFED_PERCENT) return [unfit("pool capacity", text, hint)];
  if (capacityPercent > FULL_PERCENT) return [degraded("pool capacity", text, hint)];
  return [ok("pool capacity", text)];
}

function judgeScrub({ pool, scrub }: ZfsHealth, nowMs: number): Finding {
  const hint = `Run zpool scrub ${pool}, and have it run monthly (Debian's zfsutils-linux does).`;
  switch (scrub.kind) {
    case "never":
      return degraded("pool scrub", `${pool} was never scrubbed`, hint);
    case "running":
      return ok("pool scrub", `${pool} is being scrubbed`);
    case "unknown":
      return ok("pool scrub", `${pool}: when it was last scrubbed is not remembered`);
    case "done": {
      const days = Math.floor((nowMs - scrub.endedMs) / DAY_MS);
      const text = `${pool} was scrubbed ${String(days)} days ago`;
      return days > SCRUB_DAYS ? degraded("pool scrub", text, hint) : ok("pool scrub", text);
    }
  }
}

function judgeBtrfs({ path, isReadOnly, errors }: BtrfsHealth): Finding {
  const counts = errors.map(
    ({ device, kind, count }) => `${device} ${String(count)} ${kind} errors`,
  );
  if (isReadOnly)
    return unfit(
      "pool health",
      [`${path} is read-only`, ...counts].join("; "),
      "The kernel's log says why (dmesg); when it is mended: henge halt, umount it, start the daemon anew.",
    );
  if (counts.length === 0) return ok("pool health", `${path} has seen no errors`);
  return degraded(
    "pool health",
    counts.join("; "),
    `Look after the disk below; then btrfs scrub start ${path}, and btrfs device stats --reset ${path}.`,
  );
}

/** @param zfsModule version of OpenZFS's module, where the pool is of ZFS */
export function judgeIdMapping(
  driver: PoolHealth["driver"],
  path: string,
  probed: Probed | undefined,
  zfsModule: string | undefined,
): Finding {
  const check = "id-mapped mounts";
  if (probed !== undefined && probed.errno === undefined) return ok(check, `tried on ${path}`);
  if (probed?.detail !== "mount_setattr")
    return degraded(
      check,
      `could not be tried on ${path}: ${[probed?.detail, probed?.errno].filter(Boolean).join(" ") || "no answer"}`,
      "See the pool's lines; then ask again.",
    );
  if (driver === "zfs")
    return unfit(
      check,
      `OpenZFS ${zfsModule ?? "of unknown version"} has no id-mapped mounts (${probed.errno ?? ""}): needs ${OPENZFS_FLOOR}`,
      `Install OpenZFS ${OPENZFS_FLOOR} or later, or start henged without --zfs: its embedded pool needs none.`,
    );
  return unfit(
    check,
    `btrfs of this kernel has none: ${probed.errno ?? ""}`,
    "Boot Linux 5.15 or later.",
  );
}
