import { expect, it } from "vitest";

import { age, json, printable, table } from "../../../src/cli/text.js";

it("writes out every control character but the tab", () => {
  const all = Array.from({ length: 0xa0 }, (_, code) => String.fromCharCode(code)).join("");
  const shown = printable(all);
  expect(shown).not.toMatch(/[^\t\P{Cc}]/u);
  expect(shown).toContain("\\x00");
  expect(shown).toContain("\t");
  expect(shown).toContain("\\x1b");
  expect(shown).toContain("\\x7f");
  expect(shown).toContain("\\x9b");
  expect(printable("ночь ✓")).toBe("ночь ✓");
});

it("writes out what turns the direction of writing, and the like", () => {
  expect(printable("a\u202eb\u2066c\u200fd\u2028\ufeff")).toBe(
    "a\\u202eb\\u2066c\\u200fd\\u2028\\ufeff",
  );
  expect(printable("שלום مرحبا 👩‍💻")).toBe("שלום مرحبا 👩‍💻");
  expect(json("\u202e\ufeff")).toBe('"\\u202e\\ufeff"\n');
});

it("prints JSON that commands no terminal and reads back the same", () => {
  const value = { text: "\u001b[2J\u007f\u009b31m" };
  expect(json(value)).toBe('{"text":"\\u001b[2J\\u007f\\u009b31m"}\n');
  expect(JSON.parse(json(value))).toEqual(value);
});

it("keeps a row in one line whatever is in it", () => {
  expect(
    table(
      ["A", "LONGER"],
      [
        ["x\ny", "1"],
        ["longest of all", ""],
      ],
    ),
  ).toBe(["A               LONGER\n", "x\\x0ay          1\n", "longest of all\n"].join(""));
});

it.each([
  [-5, "0s"],
  [999, "0s"],
  [59_000, "59s"],
  [61_000, "1m 1s"],
  [3_600_000, "1h 0m"],
  [90_061_000, "1d 1h"],
])("tells %i ms as %s", (ms, text) => {
  expect(age(ms)).toBe(text);
});
