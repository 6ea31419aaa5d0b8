// Reads what `zfs list -Hp` and `zpool list -Hp` print: one line per row, columns parted by tabs, numbers in full. Pure.

import { CommandError, HengeError } from "../errors.js";

import { VOLUME_PROPERTIES } from "../spec/index.js";
import type { VolumeProperty, ZfsHealth } from "../spec/index.js";

import { DATASET_COLUMNS, OWNER_PROPERTY, SNAPSHOT_COLUMNS } from "./zfs-names.js";

export interface Dataset {
  readonly name: string;
  /** Never used again for another dataset; decimal, up to 64 bits. */
  readonly guid: string;
  readonly readOnly: boolean;
  /** `refquota` */
  readonly quotaBytes?: number;
  readonly properties: Readonly<Record<VolumeProperty, string>>;
  /** The dataset whose key it is encrypted with, itself or one above; `-` when it is not encrypted. */
  readonly encryptionRoot: string;
  /** That key is not loaded. */
  readonly isLocked: boolean;
  readonly keyFormat: string;
  readonly keyLocation: string;
  readonly usedBytes: number;
  readonly availableBytes: number;
  /** Of OWNER_PROPERTY, also when it is inherited. */
  readonly owner?: string;
}

/** Output of `listArgv`. */
export function parseDatasets(text: string): readonly Dataset[] {
  return rows(text, DATASET_COLUMNS.length).map((row) => {
    const column = (name: (typeof DATASET_COLUMNS)[number]): string =>
      row[DATASET_COLUMNS.indexOf(name)] ?? "";
    const quotaBytes = parseBytes(column("refquota"));
    const owner = column(OWNER_PROPERTY);
    const properties = VOLUME_PROPERTIES.map((name) => [name, column(name)]);
    return {
      name: column("name"),
      guid: column("guid"),
      readOnly: column("readonly") === "on",
      ...(quotaBytes === 0 ? {} : { quotaBytes }), // 0 is «none»
      properties: Object.fromEntries(properties) as Record<VolumeProperty, string>,
      encryptionRoot: column("encryptionroot"),
      isLocked: column("keystatus") === "unavailable",
      keyFormat: column("keyformat"),
      keyLocation: column("keylocation"),
      usedBytes: parseBytes(column("used")),
      availableBytes: parseBytes(column("available")),
      ...(owner === "-" ? {} : { owner }),
    };
  });
}

/** Output of `zfs list -Hp -o name,guid`. */
export function parseGuids(text: string): readonly Pick<Dataset, "name" | "guid">[] {
  return rows(text, 2).map(([name = "", guid = ""]) => ({ name, guid }));
}

export interface DatasetSnapshot {
  readonly dataset: string;
  /** Behind the `@`. */
  readonly name: string;
  readonly guid: string;
  readonly usedBytes: number;
  /** Whole seconds. */
  readonly createdAtMs: number;
  readonly transaction: number;
  /** Datasets. */
  readonly clones: readonly string[];
  readonly volumes?: readonly string[];
}

/** Output of `snapshotsArgv`. */
export function parseSnapshots(text: string): readonly DatasetSnapshot[] {
  return rows(text, SNAPSHOT_COLUMNS.length).map(
    ([full = "", guid = "", used, creation, transaction, clones, volumes]) => {
      const cut = full.indexOf("@");
      return {
        dataset: full.slice(0, cut),
        name: full.slice(cut + 1),
        guid,
        usedBytes: parseBytes(used),
        createdAtMs: parseBytes(creation) * 1_000,
        transaction: parseBytes(transaction),
        clones: isSet(clones) ? clones.split(",") : [],
        ...(isSet(volumes) ? { volumes: volumes.split(",") } : {}),
      };
    },
  );
}

function isSet(text: string | undefined): text is string {
  return text !== undefined && text !== "" && text !== "-";
}

export interface Pool {
  readonly name: string;
  /** e.g. ONLINE, DEGRADED, SUSPENDED. */
  readonly health: string;
}

/** Output of `zpool list -Hp -o name,health`. */
export function parsePools(text: string): readonly Pool[] {
  return rows(text, 2).map(([name = "", health = ""]) => ({ name, health }));
}

/** The row of one pool in the output of `zpool list -Hp -o name,health,capacity`. */
export function parsePoolRow(
  text: string,
  pool: string,
): Pick<ZfsHealth, "state" | "capacityPercent"> | undefined {
  const row = rows(text, 3).find(([name]) => name === pool);
  if (row === undefined) return undefined;
  const [, state = "", capacity] = row;
  return { state, ...(capacity === "-" ? {} : { capacityPercent: parseBytes(capacity) }) };
}

/** `zfs` tells in words only (LC_ALL=C) that there is no such dataset. */
export function isMissingDataset(error: unknown): boolean {
  return error instanceof CommandError && error.stderr.includes("dataset does not exist");
}

function rows(text: string, width: number): readonly (readonly string[])[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const row = line.split("\t");
      if (row.length === width) return row;
      throw new HengeError("KERNEL_REFUSED", `cannot read what ZFS said: ${JSON.stringify(line)}`);
    });
}

function parseBytes(text: string | undefined): number {
  if (text === "none" || text === "-") return 0;
  if (text !== undefined && /^\d+$/.test(text)) return Number(text);
  throw new HengeError(
    "KERNEL_REFUSED",
    `cannot read what ZFS said: ${JSON.stringify(text)} is not a number of bytes`,
  );
}
