// How the embedded pool is: what its device has failed, and whether the kernel still writes to it.

import type { Run } from "../command.js";
import type { BtrfsHealth } from "../spec/index.js";

import { parseDeviceStats } from "./btrfs-parse.js";
import { readMountAt } from "./mounts.js";

const DEADLINE_MS = 10_000;

export async function readBtrfsHealth(run: Run, mountPoint: string): Promise<BtrfsHealth> {
  const stats = await run(["btrfs", "device", "stats", mountPoint], { timeoutMs: DEADLINE_MS });
  return {
    driver: "btrfs",
    path: mountPoint,
    isReadOnly: (await readMountAt(mountPoint))?.isReadOnly === true,
    errors: parseDeviceStats(stats),
  };
}
