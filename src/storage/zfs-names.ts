// Dataset names, properties and command lines of the ZFS driver. Pure: a name is built from checked labels only.

import { VOLUME_PROPERTIES } from "../spec/index.js";
import type { ImageName, ImageStatus, MonolithName, VolumeName } from "../spec/index.js";

import { HengeError } from "../errors.js";
import { PARTIAL_PREFIX, checkLabel, imageFileName, parseImageFileName } from "./names.js";

type Argv = readonly [string, ...string[]];

/** User properties of zfsprops(7). */
export const OWNER_PROPERTY = "henge:owner";
/** Of a snapshot: the volumes it was taken of, with commas between. */
const MEMBERS_PROPERTY = "henge:volumes";

// Inherited by all below. `legacy`: no tool of ZFS mounts one, whatever it is asked. What a cell leaves on a volume is
// worth nothing on the host (setuid, devices); ACLs and extended attributes live in the inode (xattr=sa).
const TOP_PROPERTIES = {
  mountpoint: "legacy",
  setuid: "off",
  devices: "off",
  atime: "off",
  compression: "lz4",
  acltype: "posix",
  xattr: "sa",
} as const;

// Stricter than zfs(8): no blank, no %, nothing that begins like an option, no snapshot, no bookmark.
const COMPONENT = "[A-Za-z0-9][A-Za-z0-9_.:-]*";
const TOP_PATTERN = new RegExp(`^(?=.{1,160}$)[A-Za-z][A-Za-z0-9_.:-]*(/${COMPONENT})+$`);

/** Datasets below the one Henge was given: `TOP/volumes/MONOLITH/VOLUME` and `TOP/images/IMAGE.DIGEST`. */
export interface ZfsNames {
  readonly top: string;
  readonly volumes: string;
  readonly images: string;
  monolith(monolith: MonolithName): string;
  volume(monolith: MonolithName, volume: VolumeName): string;
  image(image: ImageName, digest: string): string;
}

/** @throws {HengeError} USAGE: not the name of a dataset below a pool */
export function zfsNames(top: string): ZfsNames {
  if (!TOP_PATTERN.test(top))
    throw new HengeError(
      "USAGE",
      `cannot use the ZFS dataset ${JSON.stringify(top)}: expected POOL/NAME, e.g. tank/henge`,
      { hint: "letters, digits and _ . : - only, and its parent exists" },
    );
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

export function poolOf(dataset: string): string {
  return dataset.slice(0, dataset.indexOf("/"));
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

/** The top is itself never mounted: only volumes and images are. */
export function createTopArgv(top: string, owner: string): Argv {
  const properties = { canmount: "off", [OWNER_PROPERTY]: owner, ...TOP_PROPERTIES };
  return ["zfs", "create", ...options(properties), top];
}

export function createParentArgv(dataset: string): Argv {
  return ["zfs", "create", "-o", "canmount=off", dataset];
}

/** `noauto`: never mounted by `zfs mount -a` at a boot that knows nothing of cells. */
export function createLeafArgv(
  dataset: string,
  properties: Readonly<Record<string, string>> = {},
): Argv {
  return ["zfs", "create", ...options({ canmount: "noauto", ...properties }), dataset];
}

export function setArgv(dataset: string, properties: Readonly<Record<string, string>>): Argv {
  const assignments = Object.entries(properties).map(([name, value]) => `${name}=${value}`);
  return ["zfs", "set", ...assignments, dataset];
}

function options(properties: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(properties).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
}

export const DATASET_COLUMNS = [
  "name",
  "guid",
  "readonly",
  "used",
  "available",
  OWNER_PROPERTY,
  "encryptionroot",
  "keystatus",
  "keyformat",
  "keylocation",
  "refquota",
  ...VOLUME_PROPERTIES,
] as const;

/** One dataset, or with depth 1 its children too, as `parseDatasets` reads them. */
export function listArgv(dataset: string, depth: number): Argv {
  const columns = DATASET_COLUMNS.join(",");
  return ["zfs", "list", "-Hp", "-t", "filesystem", "-d", String(depth), "-o", columns, dataset];
}

/** One transaction for all of them. */
export function snapshotArgv(
  datasets: readonly string[],
  name: string,
  members: readonly string[],
): Argv {
  const properties = { [MEMBERS_PROPERTY]: members.join(",") };
  return ["zfs", "snapshot", ...options(properties), ...datasets.map((each) => `${each}@${name}`)];
}

/** A clone takes nothing from its origin but what it holds. */
export function cloneArgv(
  origin: string,
  dataset: string,
  properties: Readonly<Record<string, string>>,
): Argv {
  return ["zfs", "clone", ...options({ canmount: "noauto", ...properties }), origin, dataset];
}

export const SNAPSHOT_COLUMNS = [
  "name",
  "guid",
  "used",
  "creation",
  "createtxg",
  "clones",
  MEMBERS_PROPERTY,
] as const;

/** The snapshots of everything below, as `parseSnapshots` reads them. */
export function snapshotsArgv(parent: string): Argv {
  return ["zfs", "list", "-Hp", "-t", "snapshot", "-r", "-o", SNAPSHOT_COLUMNS.join(","), parent];
}
