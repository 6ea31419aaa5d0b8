import { describe, expect, it } from "vitest";

import {
  aliasOf,
  cellOfAlias,
  interfacePrefix,
  isHengeTable,
  isRootKey,
  isWhole,
  publishText,
  tableOf,
  tableText,
} from "../../../src/network/ruleset.js";
import type { CellName } from "../../../src/spec/index.js";

const SHOP = "shop" as CellName;

describe("the names of one daemon's things", () => {
  it("differ from those of any other", () => {
    expect(tableOf("")).toBe("henge");
    expect(tableOf("abc123")).toBe("henge_abc123");
    expect(interfacePrefix("abc123").startsWith(interfacePrefix(""))).toBe(false);
    expect(cellOfAlias("", aliasOf("abc123", SHOP))).toBeUndefined();
    expect(cellOfAlias("abc123", aliasOf("abc123", SHOP))).toBe(SHOP);
    expect(cellOfAlias("", undefined)).toBeUndefined();
  });

  it("fit the 15 characters of an interface's name", () => {
    expect(`${interfacePrefix("abc123")}32767`.length).toBeLessThanOrEqual(15);
  });

  it("are known from those of others", () => {
    expect(["henge", "henge_abc123"].every(isHengeTable)).toBe(true);
    expect(["hengeabc123", "henge_", "henge_xyz", "filter"].some(isHengeTable)).toBe(false);
    expect(["", "0a1b2c"].every(isRootKey)).toBe(true);
    expect(["abc", "ABC123", "abc1234", "abc12;"].some(isRootKey)).toBe(false);
  });
});

describe("publishText", () => {
  it("takes away before it adds, so that one port can change its cell", () => {
    const before = {
      cell: "shop",
      hostAddress: "127.0.0.1",
      hostPort: 80,
      cellAddress: "10.83.0.1",
      cellPort: 1,
    };
    const text = publishText("", [before], [{ ...before, cell: "blog", cellAddress: "10.83.0.3" }]);
    expect(text.split("\n")).toEqual([
      "delete element inet henge published { 127.0.0.1 . 80 }",
      'add element inet henge published { 127.0.0.1 . 80 comment "blog" : 10.83.0.3 . 1 }',
      "",
    ]);
  });
});

describe("tableText", () => {
  it("names the daemon's own veths only", () => {
    const names = [...tableText("abc123").matchAll(/ifname "([^"]+)"/g)].map((match) => match[1]);
    expect(new Set(names)).toEqual(new Set(["hgabc123-*"]));
  });
});

describe("isWhole", () => {
  const ports = [80, 81].map((hostPort) => ({
    cell: "shop",
    hostAddress: "127.0.0.1",
    hostPort,
    cellAddress: "10.83.0.1",
    cellPort: 3000,
  }));
  // As nft(8) lists what it was given: read out of the text itself.
  const chains = [...tableText("").matchAll(/chain (\w+) \{([^}]*)\}/g)].map(
    ([, name = "", body = ""]) => ({
      name,
      policy: "accept",
      marks: [...body.matchAll(/comment "(\w+)"/g)].map(([, mark = ""]) => mark),
    }),
  );
  const [first = { name: "", policy: "", marks: [] }, ...rest] = chains;

  it("is true of what was written, in whatever order chains and ports are listed", () => {
    expect(chains).toHaveLength(7);
    expect(isWhole("", { chains, published: ports }, ports)).toBe(true);
    const turned = { chains: [...chains].reverse(), published: [...ports].reverse() };
    expect(isWhole("", turned, ports)).toBe(true);
  });

  it.each([
    ["a rule", [...rest, { ...first, marks: first.marks.slice(1) }]],
    ["a chain", rest],
    ["the order of the rules", [...rest, { ...first, marks: [...first.marks].reverse() }]],
  ])("is false when %s is gone", (_, fewer) => {
    expect(isWhole("", { chains: fewer, published: ports }, ports)).toBe(false);
  });

  it.each([
    ["a rule", [...rest, { ...first, marks: ["", ...first.marks] }]],
    ["a chain", [...chains, { name: "mine", policy: "accept", marks: [] }]],
    ["a policy", [...rest, { ...first, policy: "drop" }]],
  ])("is false when %s is somebody else's", (_, more) => {
    expect(isWhole("", { chains: more, published: ports }, ports)).toBe(false);
  });

  it("is false of a port too few, too many, or of another cell", () => {
    const [one, two] = ports;
    for (const published of [[one!], [one!, two!, two!], [one!, { ...two!, cell: "blog" }]])
      expect(isWhole("", { chains, published }, ports)).toBe(false);
  });
});
