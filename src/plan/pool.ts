// Volumes and images a monolith needs and the pool does not have. Nothing here ever removes data.

import { VOLUME_DEFAULTS, VOLUME_PROMISES, VOLUME_PROPERTIES } from "../spec/index.js";
import type {
  MonolithSpec,
  Observed,
  Step,
  VolumeFeature,
  VolumeName,
  VolumeProperty,
  VolumeSpec,
} from "../spec/index.js";

import { formatBytes } from "./text.js";

/**
 * A volume the manifest no longer names is kept as it is.
 * @param keeps what this pool can keep of a volume beside its quota; the rest of its tuning is left out
 */
export function planVolumes(
  desired: MonolithSpec,
  observed: Observed,
  keeps: readonly VolumeFeature[],
): readonly Step[] {
  return desired.volumes.flatMap((volume): readonly Step[] => {
    const seen = observed.volumes.find(({ name }) => name === volume.name);
    if (seen === undefined) return [{ kind: "create-volume", volume, reason: "not in the pool" }];
    const changes = volumeDifferences(seen, volume, keeps);
    return changes.length === 0 ? [] : [{ kind: "set-volume", volume, reason: changes.join("; ") }];
  });
}

export interface BrokenPromise {
  readonly volume: VolumeName;
  readonly why: string;
}

/** What volumes were promised that this pool cannot keep, or no longer. */
export function brokenPromises(
  desired: MonolithSpec,
  observed: Observed,
  keeps: readonly VolumeFeature[],
): readonly BrokenPromise[] {
  return desired.volumes.flatMap((wanted) => {
    const seen = observed.volumes.find(({ name }) => name === wanted.name);
    const lacking = VOLUME_PROMISES.filter(
      (feature) =>
        !keeps.includes(feature) &&
        (feature === "encryption" ? wanted.encryption : wanted.properties?.[feature]) !== undefined,
    ).map((feature) => `this pool has no ${feature === "quota" ? "total-quota" : feature}`);
    const changed =
      seen === undefined || seen.encryption?.keyFormat === wanted.encryption?.keyFormat
        ? []
        : ["encryption is fixed when a volume is made"];
    return [...lacking, ...(lacking.length === 0 ? changed : [])].map((why) => ({
      volume: wanted.name,
      why,
    }));
  });
}

export function planImages(desired: MonolithSpec, observed: Observed): readonly Step[] {
  return desired.images.flatMap((image): readonly Step[] => {
    const seen = observed.images.filter(({ name }) => name === image.name);
    if (seen.some(({ digest }) => digest === image.digest)) return [];
    const reason = seen.length === 0 ? "not in the pool" : "image digest changed";
    return [{ kind: "import-image", image, reason }];
  });
}

/** e.g. `quota 1GiB → 2GiB`, `recordsize 128KiB → 16KiB`. */
function volumeDifferences(
  seen: VolumeSpec,
  wanted: VolumeSpec,
  keeps: readonly VolumeFeature[],
): readonly string[] {
  const changes = VOLUME_PROPERTIES.filter((property) => keeps.includes(property)).flatMap(
    (property) => {
      const [before, after] = [seen, wanted].map(({ properties }) =>
        describeProperty(property, properties?.[property] ?? VOLUME_DEFAULTS[property]),
      );
      const name = property === "quota" ? "total-quota" : property;
      return before === after ? [] : [`${name} ${String(before)} → ${String(after)}`];
    },
  );
  const quota = `quota ${describeQuota(seen.quotaBytes)} → ${describeQuota(wanted.quotaBytes)}`;
  const [key, newKey] = [seen.encryption?.keyFile, wanted.encryption?.keyFile];
  return [
    ...(seen.quotaBytes === wanted.quotaBytes ? [] : [quota]),
    ...changes,
    ...(key === newKey || newKey === undefined ? [] : [`key ${String(key)} → ${newKey}`]),
  ];
}

function describeProperty(property: VolumeProperty, text: string): string {
  if (!["recordsize", "quota", "reservation"].includes(property)) return text;
  return text === "0" ? "none" : formatBytes(Number(text));
}

function describeQuota(bytes: number | undefined): string {
  return bytes === undefined ? "none" : formatBytes(bytes);
}
