// Dataset names, properties and command lines of the ZFS driver. Pure: a name is built from checked labels only.

import type { ImageName, ImageStatus, MonolithName, VolumeName } from "../spec/index.js";

import { PARTIAL_PREFIX, checkLabel, imageFileName, parseImageFileName } from "./names.js";

type Argv = readonly [string, ...string[]];

// A child's mount point follows from its parent's, so the top says it once for all. What a cell leaves on a volume
// is worth nothing on the host (setuid, devices); ACLs and extended attributes live in the inode (xattr=sa).
const TOP_PROPERTIES = {
  setuid: "off",
  devices: "off",
  atime: "off",
  compression: "lz4",
  acltype: "posix",
  xattr: "sa",
} as const;

/** Datasets below the one Henge was given: `TOP/volumes/MONOLITH/VOLUME` and `TOP/images/IMAGE.DIGEST`. */
export interface ZfsNames {
  readonly top: string;
  readonly volumes: string;
  readonly images: string;
  monolith(monolith: MonolithName): string;
  volume(monolith: MonolithName, volume: VolumeName): string;
  image(image: ImageName, digest: string): string;
}

export function zfsNames(top: string): ZfsNames {
  const monolith = (name: MonolithName) => `${top}/volumes/${checkLabel("monolith", name)}`;
  return {
    top,
    volumes: `${top}/volumes`,
    images: `${top}/images`,
    monolith,
    volume: (of, volume) => `${monolith(of)}/${checkLabel("volume", volume)}`,
    image: (image, digest) => `${top}/images/${imageFileName(image, digest)}`,
  };
}

/** The image's dataset while it is being filled. */
export function partialDataset(dataset: string): string {
  const cut = dataset.lastIndexOf("/") + 1;
  return `${dataset.slice(0, cut)}${PARTIAL_PREFIX}${dataset.slice(cut)}`;
}

export function isPartialDataset(dataset: string): boolean {
  return lastPart(dataset).startsWith(PARTIAL_PREFIX);
}

/** Undefined for a dataset no import made. */
export function parseImageDataset(dataset: string): ImageStatus | undefined {
  return parseImageFileName(lastPart(dataset));
}

export function lastPart(dataset: string): string {
  return dataset.slice(dataset.lastIndexOf("/") + 1);
}

/** The top bears the mount point and is itself never mounted: only volumes and images are. */
export function createTopArgv(top: string, mountPoint: string): Argv {
  const properties = Object.entries({ canmount: "off", mountpoint: mountPoint, ...TOP_PROPERTIES });
  return [
    "zfs",
    "create",
    ...properties.flatMap(([name, value]) => ["-o", `${name}=${value}`]),
    top,
  ];
}

/** With -p it is no error that the dataset exists; its properties are left alone then. */
export function createParentArgv(dataset: string): Argv {
  return ["zfs", "create", "-p", "-o", "canmount=off", dataset];
}

/** `noauto`: mounted by the driver, never by `zfs mount -a` at a boot that knows nothing of cells. */
export function createLeafArgv(dataset: string, quotaBytes?: number): Argv {
  const quota = quotaBytes === undefined ? [] : ["-o", quotaProperty(quotaBytes)];
  return ["zfs", "create", "-o", "canmount=noauto", ...quota, dataset];
}

export function setQuotaArgv(dataset: string, quotaBytes: number | undefined): Argv {
  return ["zfs", "set", quotaProperty(quotaBytes), dataset];
}

/** `refquota`: what the cell has now, without the snapshots it cannot remove. */
function quotaProperty(quotaBytes: number | undefined): string {
  return `refquota=${quotaBytes === undefined ? "none" : String(quotaBytes)}`;
}

export const DATASET_COLUMNS = [
  "name",
  "guid",
  "mounted",
  "readonly",
  "refquota",
  "used",
  "available",
] as const;

/** One dataset, or with depth 1 its children too, as `parseDatasets` reads them. */
export function listArgv(dataset: string, depth: number): Argv {
  const columns = DATASET_COLUMNS.join(",");
  return ["zfs", "list", "-Hp", "-t", "filesystem", "-d", String(depth), "-o", columns, dataset];
}
