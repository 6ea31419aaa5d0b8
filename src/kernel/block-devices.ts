// The host's block devices, as sysfs has them.

import { readFile, readdir, realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import type { BlockDevice } from "../spec/index.js";

const DEVICES = "/sys/dev/block";

/** @param directory one link for each device, named MAJOR:MINOR */
export async function readBlockDevices(
  directory: string = DEVICES,
): Promise<readonly BlockDevice[]> {
  const numbers = await readdir(directory).catch((): string[] => []);
  const devices = await Promise.all(numbers.map((number) => readDevice(directory, number)));
  return devices.filter((device) => device !== undefined);
}

/** Undefined when it was taken away meanwhile. */
async function readDevice(directory: string, number: string): Promise<BlockDevice | undefined> {
  const path = await realpath(join(directory, number)).catch(() => undefined);
  if (path === undefined) return undefined;
  const device = { number, name: basename(path) };
  const isPartition =
    (await readFile(join(path, "partition")).catch(() => undefined)) !== undefined;
  if (!isPartition) return device;
  const disk = await readFile(join(dirname(path), "dev"), "utf8").catch(() => undefined);
  return disk === undefined ? undefined : { ...device, disk: disk.trim() };
}
