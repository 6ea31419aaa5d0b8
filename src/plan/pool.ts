// Volumes and images a monolith needs and the pool does not have. Nothing here ever removes data.

import type { MonolithSpec, Observed, Step } from "../spec/index.js";

import { formatBytes } from "./text.js";

/** A volume the manifest no longer names is kept as it is. */
export function planVolumes(desired: MonolithSpec, observed: Observed): readonly Step[] {
  return desired.volumes.flatMap((volume): readonly Step[] => {
    const seen = observed.volumes.find(({ name }) => name === volume.name);
    if (seen === undefined) return [{ kind: "create-volume", volume, reason: "not in the pool" }];
    if (seen.quotaBytes === volume.quotaBytes) return [];
    const reason = `quota ${describeQuota(seen.quotaBytes)} → ${describeQuota(volume.quotaBytes)}`;
    return [{ kind: "resize-volume", volume, reason }];
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

function describeQuota(bytes: number | undefined): string {
  return bytes === undefined ? "none" : formatBytes(bytes);
}
