// Block devices a manifest limits that cannot be limited.

import type { BlockDevice, CellName, MonolithSpec } from "../spec/index.js";

export interface UnfitDevice {
  readonly cell: CellName;
  /** `MAJOR:MINOR`. */
  readonly number: string;
  /** The partition it is; absent: there is no such device. */
  readonly partition?: { readonly name: string; readonly disk: string };
}

/** `MAJOR:MINOR` of every device that a cell's io.max names. */
export function limitedDevices(
  spec: MonolithSpec,
): readonly { readonly cell: CellName; readonly number: string }[] {
  return spec.cells.flatMap(({ name, limits }) =>
    (limits["io.max"] ?? "")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => ({ cell: name, number: line.split(" ")[0] ?? "" })),
  );
}

/** The kernel refuses both with a bare ENODEV, when the cell is half made. */
export function unfitDevices(
  spec: MonolithSpec,
  devices: readonly BlockDevice[],
): readonly UnfitDevice[] {
  return limitedDevices(spec).flatMap(({ cell, number }): readonly UnfitDevice[] => {
    const found = devices.find((device) => device.number === number);
    if (found === undefined) return [{ cell, number }];
    if (found.disk === undefined) return [];
    return [{ cell, number, partition: { name: found.name, disk: found.disk } }];
  });
}
