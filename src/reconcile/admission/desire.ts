// From a manifest's text to what is desired on this host; and what an apply of it is refused for, before anything is
// changed.

import { HengeError } from "../../errors.js";
import { parseManifest } from "../../manifest/index.js";
import { brokenPromises, missingControllers, placeCells } from "../../plan/index.js";
import type {
  Controller,
  Desired,
  ImageSpec,
  MonolithSpec,
  Observed,
  VolumeFeature,
} from "../../spec/index.js";
import type { StoredMonolith } from "../../store/monoliths.js";

import type { ApplyOptions, ManifestSource } from "../control.js";
import type { Ports } from "../ports.js";
import { refuseMissingNodes, refuseOutOfReach, refuseUnfitDevices } from "./host-fit.js";
import { refuseUnfitSettings } from "./settings.js";

/**
 * @throws {ManifestError} every problem of the text
 * @throws {HengeError} WRONG_STATE: an archive is missing, a file of settings unfit · KERNEL_REFUSED: the host lacks a NUMA node, a CPU or a
 * block device the manifest names
 */
export async function desire(
  ports: Ports,
  source: ManifestSource,
  options: Pick<ApplyOptions, "allowMissingControllers">,
  signal: AbortSignal,
): Promise<Desired> {
  const declared = parseManifest(source);
  const topology = await ports.cgroups.topology();
  refuseMissingNodes(declared, topology);
  const placed = placeCells(declared, topology);
  refuseOutOfReach(placed, topology);
  await refuseUnfitDevices(placed, ports.cgroups);
  await refuseUnfitSettings(placed, ports);
  const accepted = options.allowMissingControllers ? acceptAll(placed) : placed;
  return { spec: await withDigests(ports, accepted, signal), stopped: [] };
}

const CONTROLLERS: readonly Controller[] = ["cpu", "cpuset", "memory", "io", "pids"];

function acceptAll(spec: MonolithSpec): MonolithSpec {
  return {
    ...spec,
    cells: spec.cells.map((cell) => ({ ...cell, acceptMissingControllers: CONTROLLERS })),
  };
}

/** @throws {HengeError} KERNEL_REFUSED: a limit's controller is not offered here, and the manifest does not accept that */
export function refuseMissingControllers(spec: MonolithSpec, offered: readonly Controller[]): void {
  const missing = missingControllers(spec, offered);
  if (missing.length === 0) return;
  const controllers = [...new Set(missing.map(({ controller }) => controller))].join(", ");
  const where = missing.map(({ cell, file }) => `${cell} ${file}`).join(", ");
  throw new HengeError(
    "KERNEL_REFUSED",
    `cannot apply ${spec.name}: this host does not offer the cgroup controllers ${controllers} (${where})`,
    {
      hint: "accept it with accept-missing-controllers in the manifest or --allow-missing-controllers; henge doctor tells why",
    },
  );
}

/** @throws {HengeError} WRONG_STATE: a volume was promised what the pool cannot keep */
export function refuseBrokenPromises(
  spec: MonolithSpec,
  observed: Observed,
  keeps: readonly VolumeFeature[],
): void {
  const broken = brokenPromises(spec, observed, keeps);
  if (broken.length === 0) return;
  const list = broken.map(({ volume, why }) => `volume ${volume}: ${why}`).join("; ");
  throw new HengeError("WRONG_STATE", `cannot apply ${spec.name}: ${list}`, {
    hint: keeps.includes("encryption")
      ? "declare a volume of another name as it should be, and copy the data into it"
      : "henged --zfs DATASET keeps volumes on ZFS; or take it out of the manifest",
  });
}

/** @throws {HengeError} WRONG_STATE: another monolith on record has published one of its ports */
export function refuseTakenPorts(spec: MonolithSpec, others: readonly StoredMonolith[]): void {
  const wanted = spec.cells.flatMap((cell) => cell.publish);
  for (const other of others) {
    if (other.name === spec.name || "corrupt" in other) continue;
    for (const taken of other.desired.spec.cells.flatMap((cell) => cell.publish)) {
      const clash = wanted.find(
        (port) => port.hostPort === taken.hostPort && overlaps(port.hostAddress, taken.hostAddress),
      );
      if (clash === undefined) continue;
      const address = `${clash.hostAddress}:${String(clash.hostPort)}`;
      throw new HengeError(
        "WRONG_STATE",
        `cannot publish ${address} for ${spec.name}: ${other.name} has published it`,
        {
          hint: "choose another host port under `publish`",
        },
      );
    }
  }
}

function overlaps(a: string, b: string): boolean {
  return a === b || a === "0.0.0.0" || b === "0.0.0.0";
}

async function withDigests(
  ports: Ports,
  spec: MonolithSpec,
  signal: AbortSignal,
): Promise<MonolithSpec> {
  const digests = new Map<string, string>();
  const images: ImageSpec[] = [];
  for (const image of spec.images) {
    const digest = await ports.readArchiveDigest(image, signal);
    digests.set(image.name, digest);
    images.push({ ...image, digest });
  }
  const cells = spec.cells.map((cell) => {
    const { root } = cell.boundary;
    if (root.kind === "host") return cell;
    const digest = digests.get(root.image);
    return digest === undefined
      ? cell
      : { ...cell, boundary: { ...cell.boundary, root: { ...root, digest } } };
  });
  return { ...spec, images, cells };
}
