// The ZFS driver: a dataset per volume and image below one that Henge was given. None is mounted on the host.

import { HengeError } from "../errors.js";
import { VOLUME_PROPERTIES, isLabel } from "../spec/index.js";
import type { Run } from "../command.js";
import type { MonolithName, VolumeName } from "../spec/index.js";

import type { Driver, DriverVolumes } from "./driver.js";
import { Making } from "./making.js";
import type { PoolPort } from "./port.js";
import { capacityError } from "./unpack.js";
import { destroyDataset, findDataset, listChildren } from "./zfs-dataset.js";
import { readZfsHealth } from "./zfs-health.js";
import { zfsImages } from "./zfs-image.js";
import {
  createLeafArgv,
  createParentArgv,
  lastPart,
  poolOf,
  setArgv,
  zfsNames,
} from "./zfs-names.js";
import { checkTop, ensureTop } from "./zfs-pool.js";
import type { ZfsPool } from "./zfs-pool.js";
import {
  checkKeyFile,
  encryptionProperties,
  keyLocation,
  volumeOf,
  volumeProperties,
} from "./zfs-properties.js";
import { cloneVerb, zfsSnapshots } from "./zfs-snapshots.js";
import { datasetSource } from "./zfs-source.js";
import type { Identify } from "./zfs-source.js";

export interface ZfsOptions {
  /** Made when missing; its parent exists, e.g. `tank/henge` in pool `tank`. */
  readonly dataset: string;
  /** Absolute path of the file that remembers which dataset it is. */
  readonly record: string;
  /** Marks the dataset as this daemon's: no other host's, no other root's. */
  readonly owner: string;
  /** Absolute directory; images are filled at mounts in it. */
  readonly workshop: string;
  readonly identify: Identify;
  readonly run: Run;
}

/** @throws {HengeError} USAGE: `dataset` is not the name of one below a pool */
export function createZfsDriver(options: ZfsOptions): Driver {
  const { record, owner, run, identify, workshop } = options;
  const pool: ZfsPool = {
    names: zfsNames(options.dataset),
    record,
    owner,
    run,
    making: new Making(),
  };
  return {
    pool: poolVerbs(pool),
    volumes: { ...volumeListVerbs(pool), ...volumeVerbs(pool, identify), clone: cloneVerb(pool) },
    images: zfsImages(pool, identify, workshop),
    snapshots: zfsSnapshots(pool),
  };
}

function poolVerbs(pool: ZfsPool): PoolPort {
  return {
    keeps: [...VOLUME_PROPERTIES, "encryption"],
    isOneInstant: true,
    ensure: (signal) => ensureTop(pool, signal),
    health: () => readZfsHealth(pool.run, poolOf(pool.names.top)),
    async facts() {
      const { usedBytes, availableBytes } = await checkTop(pool);
      return {
        driver: "zfs",
        path: pool.names.top,
        totalBytes: usedBytes + availableBytes,
        freeBytes: availableBytes,
      };
    },
  };
}

function volumeListVerbs(pool: ZfsPool): Pick<DriverVolumes, "listMonoliths" | "list"> {
  const { run, names } = pool;
  return {
    async listMonoliths() {
      await checkTop(pool);
      const found: MonolithName[] = [];
      for (const { name } of await listChildren(run, names.volumes)) {
        if ((await listChildren(run, name)).length > 0) found.push(lastPart(name) as MonolithName);
      }
      return found.sort();
    },
    async list(monolith) {
      const parent = names.monolith(monolith);
      await checkTop(pool);
      const mine = (await listChildren(run, parent)).filter(({ name }) => isLabel(lastPart(name)));
      return mine.map((dataset) => volumeOf(lastPart(dataset.name) as VolumeName, dataset));
    },
  };
}

function volumeVerbs(
  pool: ZfsPool,
  identify: Identify,
): Pick<DriverVolumes, "create" | "set" | "destroy" | "source"> {
  const { run, names } = pool;
  return {
    async create(monolith, volume, signal) {
      const dataset = names.volume(monolith, volume.name);
      const act = `create volume ${volume.name} of ${monolith}`;
      signal.throwIfAborted();
      await checkTop(pool);
      if ((await findDataset(run, dataset)) !== undefined)
        throw new HengeError("WRONG_STATE", `cannot ${act}: it exists`);
      const { encryption } = volume;
      if (encryption !== undefined) await checkKeyFile(act, encryption);
      try {
        if ((await findDataset(run, names.monolith(monolith))) === undefined)
          await run(createParentArgv(names.monolith(monolith)), { signal });
        const properties = { ...volumeProperties(volume), ...encryptionProperties(encryption) };
        await run(createLeafArgv(dataset, properties), { signal });
      } catch (error) {
        throw capacityError(act, error);
      }
    },
    async set(monolith, volume, signal) {
      const dataset = names.volume(monolith, volume.name);
      const { encryption } = volume;
      await checkTop(pool);
      await run(setArgv(dataset, volumeProperties(volume)), { signal });
      if (encryption === undefined) return;
      await checkKeyFile(`set volume ${volume.name} of ${monolith}`, encryption);
      await run(setArgv(dataset, { keylocation: keyLocation(encryption.keyFile) }), { signal });
    },
    async destroy(monolith, volume, signal) {
      const [dataset, parent] = [names.volume(monolith, volume), names.monolith(monolith)];
      await checkTop(pool);
      await destroyDataset(run, dataset, signal);
      if (
        (await findDataset(run, parent)) === undefined ||
        (await listChildren(run, parent)).length > 0
      )
        return;
      await run(["zfs", "destroy", parent], { signal });
    },
    async source(monolith, volume) {
      return (await datasetSource(pool, identify, names.volume(monolith, volume))).source;
    },
  };
}
