import { describe, expect, it } from "vitest";

import { formatPath, quote, suggest, toProblems } from "../../../src/manifest/problems.js";

describe("quoting what the user wrote", () => {
  it("escapes whatever a terminal would act on", () => {
    expect(quote("a\u001b]52\u0007\u009b\u202e\u2028")).toBe(
      '"a\\u001b]52\\u0007\\u009b\\u202e\\u2028"',
    );
  });

  it("cuts long text", () => {
    expect(quote("x".repeat(1_000))).toBe(`"${"x".repeat(60)}…"`);
  });
});

describe("suggesting a word", () => {
  it.each([
    ["memry", '; did you mean "memory"?'],
    ["MEMORY", '; did you mean "memory"?'],
    ["disk", ""],
    ["", ""],
    ["memory".repeat(1_000), ""],
  ])("for %j", (word, said) => {
    expect(suggest(word, ["memory", "network"])).toBe(said);
  });
});

describe("paths", () => {
  it.each([
    [[], ""],
    [["cells", "web", "units", "puma", "argv", 0], "cells.web.units.puma.argv[0]"],
    [["limits", "memory.max"], "limits.memory.max"],
    [["units", "A B\n"], 'units["A B\\n"]'],
  ])("%j", (path, shown) => {
    expect(formatPath(path)).toBe(shown);
  });
});

describe("places", () => {
  it("counts lines and columns from 1, with either kind of line end", () => {
    const text = "ab\r\ncd\nef";
    const at = (offset: number) => toProblems(text, [{ path: [], offset, text: "" }])[0];
    expect(at(0)).toMatchObject({ line: 1, column: 1 });
    expect(at(5)).toMatchObject({ line: 2, column: 2 });
    expect(at(9)).toMatchObject({ line: 3, column: 3 });
  });

  it("says one thing about one place", () => {
    const fault = (text: string) => ({ path: ["a"], offset: 1, text });
    expect(toProblems("abc", [fault("first"), fault("second")])).toHaveLength(1);
  });

  it("makes no text that is not shown", () => {
    let made = 0;
    const faults = Array.from({ length: 500 }, (_, index) => ({
      path: [index],
      offset: index,
      text: () => String((made += 1)),
    }));
    expect(toProblems("x".repeat(500), faults)).toHaveLength(101);
    expect(made).toBe(100);
  });
});
