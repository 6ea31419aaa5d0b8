// What a manifest names of this host: NUMA nodes, CPUs, block devices. Refused here, before anything is changed, for the
// kernel says EINVAL or ENODEV when the cell is half made, or silently gives it something else. And what it cannot hold.

import { HengeError } from "../../errors.js";
import type { CgroupPort } from "../../kernel/port.js";
import { limitedDevices, missingNodes, outOfReach, unfitDevices } from "../../plan/index.js";
import type { OutOfReach, UnfitDevice } from "../../plan/index.js";
import type { BlockDevice, CellSpec, MonolithSpec, Topology } from "../../spec/index.js";
import type { PoolPort } from "../../storage/port.js";

/** @throws {HengeError} KERNEL_REFUSED: the host lacks a NUMA node the manifest names */
export function refuseMissingNodes(spec: MonolithSpec, topology: Topology): void {
  const missing = missingNodes(spec, topology);
  if (missing.length === 0) return;
  const where = missing.map(({ cell, node }) => `${cell} on node${String(node)}`).join(", ");
  const known = topology.nodes.map(({ number }) => `node${String(number)}`).join(", ");
  throw new HengeError(
    "KERNEL_REFUSED",
    `cannot place ${where}: this host has ${known === "" ? "no NUMA node" : `only ${known}`}`,
    { hint: "name one of them, or none, under limits: numa" },
  );
}

/**
 * @param spec with its NUMA nodes spelt out
 * @throws {HengeError} KERNEL_REFUSED: a cell's cpuset names what the host, or the cell around it, does not have
 */
export function refuseOutOfReach(spec: MonolithSpec, topology: Topology): void {
  const missing = outOfReach(spec, topology);
  if (missing.length === 0) return;
  throw new HengeError("KERNEL_REFUSED", `cannot place ${missing.map(describeReach).join("; ")}`, {
    hint: "name what is there under limits: cpuset.cpus, cpuset.mems or numa",
  });
}

function describeReach({ cell, file, numbers, available, within }: OutOfReach): string {
  const what = file === "cpuset.cpus" ? "CPU" : "memory node";
  const named = `${what}${numbers.length === 1 ? "" : "s"} ${numbers.join(", ")}`;
  const why = within === undefined ? "this host has only" : `${within} is kept on`;
  return `${cell} on ${named}: ${why} ${available}`;
}

/** @throws {HengeError} KERNEL_REFUSED: io.max names a device that is not there, or a partition */
export async function refuseUnfitDevices(
  spec: MonolithSpec,
  cgroups: Pick<CgroupPort, "blockDevices">,
): Promise<void> {
  if (limitedDevices(spec).length === 0) return;
  const devices = await cgroups.blockDevices();
  const unfit = unfitDevices(spec, devices);
  if (unfit.length === 0) return;
  const list = unfit.map((device) => describeDevice(device, devices)).join("; ");
  throw new HengeError("KERNEL_REFUSED", `cannot limit io.max of ${list}`, {
    hint: "lsblk --nodeps --output NAME,MAJ:MIN lists the disks",
  });
}

function describeDevice(
  { cell, number, partition }: UnfitDevice,
  devices: readonly BlockDevice[],
): string {
  if (partition === undefined) return `${cell} on ${number}: this host has no such block device`;
  const disk = devices.find((device) => device.number === partition.disk)?.name ?? "its disk";
  return `${cell} on ${number}: ${partition.name} is a partition, limit ${disk} (${partition.disk}) as a whole`;
}

/** For each cell whose writes io.max does not hold back, a note that says so. */
export async function weakIoLimits(
  spec: MonolithSpec,
  pool: Pick<PoolPort, "facts">,
): Promise<readonly string[]> {
  const weak = spec.cells.filter(limitsVolumeWrites);
  if (weak.length === 0 || (await pool.facts()).driver !== "zfs") return [];
  return weak.map(
    ({ name }) =>
      `io.max of ${name} does not hold back what it writes to its volumes: ZFS writes for it, outside of every cell`,
  );
}

function limitsVolumeWrites({ limits, boundary }: CellSpec): boolean {
  const writes = /w(?:bps|iops)=\d/.test(limits["io.max"] ?? "");
  return writes && boundary.mounts.some(({ readOnly }) => !readOnly);
}
