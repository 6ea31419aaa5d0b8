import { expect, it } from "vitest";

import { holdsResources, readCapacity } from "../../../src/kernel/capacity.js";

const LIMITS = (hard: string) =>
  `Limit                     Soft Limit           Hard Limit           Units\nMax open files            1024                 ${hard}                files\n`;
const RIGHTS = "Name:\thenged\nCapEff:\t000001ffffffffff\n";
const NO_RIGHTS = "Name:\thenged\nCapEff:\t000001fffeffffff\n";
const facts = { memoryBytes: 1, nrOpen: "1048576\n", status: RIGHTS, limits: LIMITS("4096") };

it("gives a unit as many descriptors as the kernel allows where limits may be raised", () => {
  expect(readCapacity(facts)).toEqual({
    ...{ memoryBytes: 1, nofileMax: 1_048_576, nofileFrom: "fs.nr_open of this host" },
    nofileDefault: 4096,
  });
});

it("gives a unit no more than henged has where limits may not be raised", () => {
  expect(readCapacity({ ...facts, status: NO_RIGHTS })).toMatchObject({ nofileMax: 4096 });
  expect(readCapacity({ ...facts, status: undefined })).toMatchObject({ nofileMax: 4096 });
});

it("gives a unit that asks for none the warden's default", () => {
  expect(readCapacity({ ...facts, limits: LIMITS("524288") }).nofileDefault).toBe(65_536);
  expect(readCapacity({ ...facts, limits: LIMITS("unlimited") }).nofileDefault).toBe(65_536);
});

it("looks for the right to raise limits at bit 24 of the effective set", () => {
  expect(holdsResources(RIGHTS)).toBe(true);
  expect(holdsResources(NO_RIGHTS)).toBe(false);
  expect(holdsResources("")).toBe(false);
});
