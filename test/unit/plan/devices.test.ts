import { expect, it } from "vitest";

import { unfitDevices } from "../../../src/plan/index.js";
import { cell, monolith } from "../../fixture/index.js";

it("finds the devices io.max names that are not there, or are partitions", () => {
  const limited = (...numbers: readonly string[]) =>
    numbers.map((number) => `${number} rbps=max wbps=1 riops=max wiops=max`).join("\n");
  const spec = monolith([
    cell("shop", { limits: { "io.max": limited("8:0", "8:1") } }),
    cell("shop/web", { limits: { "io.max": limited("9:9") } }),
    cell("shop/db"),
  ]);
  const devices = [
    { number: "8:0", name: "sda" },
    { number: "8:1", name: "sda1", disk: "8:0" },
  ];
  expect(unfitDevices(spec, devices)).toEqual([
    { cell: "shop", number: "8:1", partition: { name: "sda1", disk: "8:0" } },
    { cell: "shop/web", number: "9:9" },
  ]);
});
