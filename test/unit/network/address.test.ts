import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { choosePair, isLoopback, pairAt, parseBlock } from "../../../src/network/address.js";
import type { Block } from "../../../src/network/address.js";
import type { CellName } from "../../../src/spec/index.js";

const SHOP = "shop" as CellName;

function block(text: string): Block {
  const parsed = parseBlock(text);
  if (parsed === undefined) throw new Error(`not a block: ${text}`);
  return parsed;
}

const SUBNET = block("10.83.0.0/16");

describe("parseBlock", () => {
  it("reads an address as a block of one", () => {
    expect(parseBlock("0.0.1.2")).toEqual({ first: 258, last: 258 });
  });

  it("drops the host bits", () => {
    expect(parseBlock("10.83.7.9/16")).toEqual(SUBNET);
  });

  it.each(["default", "", "fe80::1", "1.2.3", "1.2.3.256", "1.2.3.4/33", "0.0.0.0/x"])(
    "does not read %j",
    (text) => {
      expect(parseBlock(text)).toBeUndefined();
    },
  );
});

describe("choosePair", () => {
  it("gives a cell the same pair again, and another daemon's another", () => {
    expect(choosePair(SUBNET, "", SHOP, [])).toEqual(choosePair(SUBNET, "", SHOP, []));
    expect(choosePair(SUBNET, "", SHOP, [])).not.toEqual(choosePair(SUBNET, "abc123", SHOP, []));
  });

  it("ignores routes wider than the subnet", () => {
    const taken = [block("0.0.0.0/0"), block("10.0.0.0/8")];
    expect(choosePair(SUBNET, "", SHOP, taken)).toEqual(choosePair(SUBNET, "", SHOP, []));
  });

  it("refuses when somebody else has the whole subnet", () => {
    expect(() => choosePair(SUBNET, "", SHOP, [SUBNET])).toThrow(
      /none of 10.83.0.0-10.83.255.255 is free/,
    );
  });

  it("finds the one pair that is left", () => {
    const subnet = block("10.83.0.0/29");
    const taken = ["10.83.0.0/31", "10.83.0.3", "10.83.0.6/31"].map(block);
    expect(choosePair(subnet, "", SHOP, taken)).toEqual({
      index: 2,
      hostAddress: "10.83.0.4",
      cellAddress: "10.83.0.5",
    });
  });

  it("never gives two cells a common address", () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9-]{0,5}$/), {
      minLength: 1,
      maxLength: 32,
    });
    fc.assert(
      fc.property(names, (cells) => {
        const subnet = block("10.83.0.0/26");
        const taken: Block[] = [];
        for (const cell of cells) {
          const pair = choosePair(subnet, "", cell as CellName, taken);
          const own = block(`${pair.hostAddress}/31`);
          expect(taken).not.toContainEqual(own);
          expect(block(`${pair.cellAddress}/31`)).toEqual(own);
          taken.push(own);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe("pairAt", () => {
  it("counts on over the bytes of an address", () => {
    expect(pairAt(SUBNET, 32767)).toEqual({
      index: 32767,
      hostAddress: "10.83.255.254",
      cellAddress: "10.83.255.255",
    });
  });
});

describe("isLoopback", () => {
  it("knows all of 127.0.0.0/8", () => {
    expect(isLoopback("127.0.0.1")).toBe(true);
    expect(isLoopback("127.1.2.3")).toBe(true);
    expect(isLoopback("192.0.2.127")).toBe(false);
  });
});
