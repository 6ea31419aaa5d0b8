import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, it } from "vitest";

import { readBlockDevices } from "../../../src/kernel/block-devices.js";
import { temporaryDirectory } from "../../fixture/directory.js";

it("tells disks and their partitions apart", async () => {
  const sys = await temporaryDirectory();
  mkdirSync(join(sys, "sda/sda1"), { recursive: true });
  mkdirSync(join(sys, "numbers"));
  writeFileSync(join(sys, "sda/dev"), "8:0\n");
  writeFileSync(join(sys, "sda/sda1/partition"), "1\n");
  for (const [number, path] of [
    ["8:0", "sda"],
    ["8:1", "sda/sda1"],
    ["8:9", "taken-away"],
  ] as const)
    symlinkSync(join(sys, path), join(sys, "numbers", number));
  const devices = await readBlockDevices(join(sys, "numbers"));
  expect([...devices].sort((a, b) => a.number.localeCompare(b.number))).toEqual([
    { number: "8:0", name: "sda" },
    { number: "8:1", name: "sda1", disk: "8:0" },
  ]);
});
