// Asks the storage driver how its pool is, and has id maps tried on it. A pool that hangs is a finding too.

import { HengeError } from "../errors.js";
import type { HostFacts, Probed } from "../kernel/port.js";
import type { PoolHealth } from "../spec/index.js";

import { within } from "./deadline.js";
import { judgeOpenZfs } from "./findings/openzfs.js";
import { judgeIdMapping, judgePoolHealth, mayBeTried } from "./findings/pool.js";
import { DATA_NEED, judgeSpace } from "./findings/space.js";
import { ok, unfit } from "./findings/verdict.js";
import type { Finding } from "./port.js";

const POOL_DEADLINE_MS = 10_000;
const NOT_TRIED: Probed = { errno: "the pool is not well", detail: "" };

/** What doctor shows of the storage pool. */
export interface PoolSummary {
  readonly driver: PoolHealth["driver"];
  /** A directory, or a dataset of ZFS. */
  readonly path: string;
  readonly freeBytes: number;
}

export interface PoolOptions {
  readonly facts: Pick<HostFacts, "openZfs" | "idMap">;
  readonly pool: {
    readonly driver: PoolHealth["driver"];
    /** Both ask the storage driver. */
    readonly facts: () => Promise<PoolSummary>;
    readonly health: () => Promise<PoolHealth>;
  };
  /** Most the driver may think of what it has. Default 10,000. */
  readonly poolDeadlineMs?: number;
}

export async function findPool(options: PoolOptions): Promise<readonly Finding[]> {
  const { pool, facts: host, poolDeadlineMs = POOL_DEADLINE_MS } = options;
  const [facts, health, zfs] = await Promise.all([
    answerOf(within("ask the pool", poolDeadlineMs, pool.facts())),
    answerOf(within("ask how the pool is", poolDeadlineMs, pool.health())),
    host.openZfs(),
  ]);
  return [
    ...judgeOpenZfs(zfs, pool.driver === "zfs"),
    ...(facts instanceof HengeError
      ? [missing("pool", facts)]
      : [...judgeFacts(facts), await findIdMap(host, facts, health, zfs.module)]),
    ...findHealth(health, facts instanceof HengeError),
  ];
}

async function answerOf<T>(asked: Promise<T>): Promise<T | HengeError> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof HengeError) return error;
    throw error;
  }
}

function judgeFacts({ driver, path, freeBytes }: PoolSummary): readonly Finding[] {
  const hint =
    driver === "zfs"
      ? "Destroy snapshots and data, or add devices: zpool add."
      : "Destroy what is not needed; a larger pool is made with henged --pool-size when there is none yet.";
  return [ok("pool driver", driver), judgeSpace("pool", path, { freeBytes }, DATA_NEED, hint)];
}

async function findIdMap(
  host: PoolOptions["facts"],
  { driver, path }: PoolSummary,
  health: PoolHealth | HengeError,
  zfsModule: string | undefined,
): Promise<Finding> {
  const isWell = !(health instanceof HengeError) && mayBeTried(health);
  const probed = isWell ? await answerOf(host.idMap(path)) : NOT_TRIED;
  const answer = probed instanceof HengeError ? { errno: probed.message, detail: "" } : probed;
  return judgeIdMapping(driver, path, answer, zfsModule);
}

/** `isTold`: the pool's own line has said that it is not there. */
function findHealth(health: PoolHealth | HengeError, isTold: boolean): readonly Finding[] {
  if (!(health instanceof HengeError)) return judgePoolHealth(health, Date.now());
  return isTold ? [] : [missing("pool health", health)];
}

function missing(check: string, error: HengeError): Finding {
  const hint =
    error.code === "DEADLINE"
      ? "Something below it hangs: dmesg, and zpool status -x, say what."
      : "Start the daemon anew: it mounts its pool.";
  return unfit(check, error.message, error.hint ?? hint);
}
