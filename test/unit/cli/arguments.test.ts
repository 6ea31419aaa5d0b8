import { expect, it } from "vitest";

import { parseCount, parseTarget, parseVariables } from "../../../src/cli/arguments.js";

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

it.each(["", "-1", "1.5", "1e3", "0x10", " 1", "99999999999"])("refuses the count %j", (text) => {
  expect(() => parseCount("--tail", text)).toThrow(/--tail/);
});

it("reads variables whose values hold anything", () => {
  expect(parseVariables(["A=", "B=c=d\n"])).toEqual({ A: "", B: "c=d\n" });
  expect(() => parseVariables(["A"])).toThrow(/NAME=VALUE/);
});
