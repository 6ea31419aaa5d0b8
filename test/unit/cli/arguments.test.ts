import { expect, it } from "vitest";

import { parseCount, parseSince, parseTarget, parseVariables } from "../../../src/cli/arguments.js";

const NOW = Date.UTC(2026, 10, 23, 9);

it("reads a cell, or a unit of it", () => {
  expect(parseTarget("shop/web")).toEqual({ cell: "shop/web" });
  expect(parseTarget("shop/web:puma")).toEqual({ cell: "shop/web", unit: "puma" });
});

it.each([
  "",
  ":",
  "shop:",
  ":puma",
  "shop:a:b",
  "shop/",
  "/shop",
  "Shop",
  "shop web",
  "a/b/c/d/e",
  "sh\u202eop",
])("refuses the target %j", (text) => {
  expect(() => parseTarget(text)).toThrow(/^cannot use /);
});

it.each([
  ["250ms", NOW - 250],
  ["90s", NOW - 90_000],
  ["10m", NOW - 600_000],
  ["2h", NOW - 7_200_000],
  ["1d", NOW - 86_400_000],
  ["2026-11-23", Date.UTC(2026, 10, 23)],
  ["2026-11-23T08:30:00Z", NOW - 1_800_000],
  ["2026-11-23T10:30:00.000+02:00", NOW - 1_800_000],
])("reads %j as a time", (text, atMs) => {
  expect(parseSince(text, NOW)).toBe(atMs);
});

it.each([
  "",
  "10",
  "m",
  "-5m",
  "1.5h",
  "10 m",
  "10M",
  "1e3s",
  "yesterday",
  "23/11/2026",
  "2026-13-40",
  "0",
])("refuses the time %j", (text) => {
  expect(() => parseSince(text, NOW)).toThrow(/--since/);
});

it.each(["", "-1", "1.5", "1e3", "0x10", " 1", "99999999999"])("refuses the count %j", (text) => {
  expect(() => parseCount("--tail", text)).toThrow(/--tail/);
});

it("reads variables whose values hold anything", () => {
  expect(parseVariables(["A=", "B=c=d\n"])).toEqual({ A: "", B: "c=d\n" });
  expect(() => parseVariables(["A"])).toThrow(/NAME=VALUE/);
});
