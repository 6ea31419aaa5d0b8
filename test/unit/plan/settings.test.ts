import { expect, it } from "vitest";

import { settingsProblems } from "../../../src/plan/index.js";
import type { SettingsSpec } from "../../../src/spec/index.js";
import { cell } from "../../fixture/index.js";

const SPEC: SettingsSpec = {
  cell: cell("shop/web").name,
  source: "/etc/shop.conf",
  keys: ["DOMAIN", "SECRET"],
  without: ["PORT", "BIND"],
};

function problems(...lines: readonly string[]): readonly string[] {
  return settingsProblems(lines.join("\n"), [SPEC]);
}

it.each([
  ["DOMAIN=a", "SECRET=b", ""],
  ["# PORT=1", "", " \t export DOMAIN = 'a' # why", 'SECRET="b\\"c # d"\r'],
  ["DOMAIN=", "DOMAIN=a", "SECRET=a#b"],
  ["export=1", "DOMAIN==", "SECRET=\\", "PORTS=1", "XPORT=1"],
  ["\ufeffDOMAIN=a", "export\tSECRET=b"],
  ["\xef\xbb\xbfDOMAIN=a", 'SECRET="-----BEGIN', "PORT=1 # of the value", 'END"'],
  ["DOMAIN='a", "", "b'\r", "SECRET='c\r", "d' # why"],
])("takes what the warden would read as set: %j", (...lines) => {
  expect(problems(...lines)).toEqual([]);
});

it("names each key that is missing, and each that is empty with its line", () => {
  expect(problems()).toEqual(["DOMAIN is missing", "SECRET is missing"]);
  for (const empty of [
    "SECRET=",
    "SECRET= ",
    "SECRET=''",
    'SECRET=""',
    "SECRET= # later",
    "SECRET=\r",
  ])
    expect(problems("DOMAIN=a", empty)).toEqual(["line 2: SECRET is empty"]);
  expect(problems("SECRET=x", "DOMAIN=a", "SECRET=")).toEqual(["line 3: SECRET is empty"]);
});

it.each([
  ["canary", "is a name without a value; write NAME=VALUE"],
  ["export canary", "is a name without a value; write NAME=VALUE"],
  ["canary # why", "is a name without a value; write NAME=VALUE"],
  ["=canary", "is not NAME=VALUE"],
  ["1A=canary", "is not NAME=VALUE"],
  ["A B=canary", "is not NAME=VALUE"],
  ["A: canary", "is not NAME=VALUE"],
  ['A="canary', "opens a quote that is never closed"],
  ['A="canary\\"', "opens a quote that is never closed"],
  ["A='canary' x", "has something behind its closing quote"],
  ["A=canary\0", "holds a NUL byte"],
])("tells the line and what is wrong, and nothing else, of %j", (line, problem) => {
  expect(problems("DOMAIN=a", "SECRET=b", line)).toEqual([`line 3 ${problem}`]);
  expect(problems("DOMAIN='", "'", "DOMAIN=a", "SECRET=b", line)).toEqual([`line 5 ${problem}`]);
});

it("names what must not be set, and for which cell", () => {
  expect(problems("DOMAIN=a", "SECRET=b", "PORT=canary", "export BIND=canary")).toEqual([
    "line 3: shop/web must not be given PORT",
    "line 4: shop/web must not be given BIND",
  ]);
});

it("asks of one file what all cells that are shown it need", () => {
  const other = { ...SPEC, cell: cell("shop/jobs").name, keys: ["SECRET", "TOKEN"], without: [] };
  expect(settingsProblems("DOMAIN=a", [SPEC, other])).toEqual([
    "SECRET is missing",
    "TOKEN is missing",
  ]);
});
