// What a manifest may say of a volume, and what its presets stand for.

import { z } from "zod";

import { KEY_FORMATS, VOLUME_DEFAULTS, VOLUME_PROPERTIES } from "../spec/index.js";
import type { VolumeName, VolumeProperties, VolumeProperty, VolumeSpec } from "../spec/index.js";
import { resolveHostPath } from "./host-path.js";
import { describe } from "./problems.js";
import { hostPath, notation, oneOf, size } from "./values.js";

const KIBIBYTE = 2 ** 10;
const MEBIBYTE = 2 ** 20;
const PEBIBYTE = 2 ** 50;

/** Measured nowhere yet but where said; what a volume says itself comes first. */
const PRESETS: Readonly<Record<string, VolumeProperties>> = {
  // Two of PostgreSQL's pages: half the write amplification of 128 KiB records, and still something to compress.
  postgres: { recordsize: String(16 * KIBIBYTE) },
  // Append-only file and dumps are written and read from end to end.
  redis: {},
  // Uploads are written once and read whole; what is compressed already costs lz4 next to nothing.
  media: { recordsize: String(MEBIBYTE) },
  logs: { compression: "zstd" },
};

const recordSize = size(512, MEBIBYTE).refine((bytes) => Number.isInteger(Math.log2(bytes)), {
  error: ({ input }) => `expected a power of two from 512B to 1MiB, got ${describe(input)} bytes`,
});

export const volume = z.strictObject({
  preset: oneOf(["postgres", "redis", "media", "logs"])
    .optional()
    .describe("Tuned for what lies on it; a field of its own comes first."),
  quota: size(MEBIBYTE, PEBIBYTE)
    .optional()
    .describe("Most it may hold, snapshots aside. Default: no quota."),
  "total-quota": size(MEBIBYTE, PEBIBYTE)
    .optional()
    .describe("Most it and its snapshots may hold. ZFS only."),
  reservation: size(MEBIBYTE, PEBIBYTE)
    .optional()
    .describe("Room in the pool that is its own. ZFS only."),
  recordsize: recordSize.optional().describe("Largest block of a file. ZFS only."),
  compression: notation(
    /^(?:off|lz4|zle|zstd(?:-(?:[1-9]|1[0-9]))?)$/,
    "off, lz4, zle, zstd or zstd-1 to zstd-19",
  ).optional(),
  logbias: oneOf(["latency", "throughput"]).optional(),
  primarycache: oneOf(["all", "metadata", "none"]).optional(),
  atime: z.boolean().optional().describe("Whether reading a file is noted. ZFS only."),
  encryption: z
    .strictObject({
      key: hostPath.describe("File of the key, on the host."),
      format: oneOf([...KEY_FORMATS]).prefault("raw"),
    })
    .optional()
    .describe("Fixed when the volume is made. ZFS only."),
});

export type VolumeFields = z.output<typeof volume>;

/** @param directory absolute; a relative path of a key starts there */
export function toVolume(name: VolumeName, fields: VolumeFields, directory: string): VolumeSpec {
  const { preset, quota, encryption } = fields;
  const given = { ...(preset === undefined ? {} : PRESETS[preset]), ...propertiesOf(fields) };
  const properties = Object.entries(given).filter(
    ([property, value]) => value !== VOLUME_DEFAULTS[property as VolumeProperty],
  );
  return {
    name,
    ...(quota === undefined ? {} : { quotaBytes: quota }),
    ...(properties.length === 0 ? {} : { properties: Object.fromEntries(properties) }),
    ...(encryption === undefined
      ? {}
      : {
          encryption: {
            keyFile: resolveHostPath(directory, encryption.key),
            keyFormat: encryption.format,
          },
        }),
  };
}

function propertiesOf(fields: VolumeFields): VolumeProperties {
  const { atime, "total-quota": quota, ...rest } = fields;
  const values: Readonly<Partial<Record<VolumeProperty, string | number | undefined>>> = {
    ...rest,
    quota,
    atime: atime === undefined ? undefined : atime ? "on" : "off",
  };
  return Object.fromEntries(
    VOLUME_PROPERTIES.flatMap((property) => {
      const value = values[property];
      return value === undefined ? [] : [[property, String(value)]];
    }),
  );
}
