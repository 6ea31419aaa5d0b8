import { describe, expect, it } from "vitest";

import { MAX_MANIFEST_BYTES, MAX_TOKENS, readYaml } from "../../../src/manifest/yaml.js";
import { HEAD, parse, problemsOf } from "./fixture.js";

describe("text that is refused before it is parsed", () => {
  it("refuses more than 64 KiB and says how many bytes there are", () => {
    expect(problemsOf("#".repeat(66_560))).toEqual(["1:1 : manifest is 66560 bytes, limit 65536"]);
  });

  it("counts bytes, not characters", () => {
    expect(problemsOf(`# ${"é".repeat(32_768)}`)).toEqual([
      "1:1 : manifest is 65538 bytes, limit 65536",
    ]);
  });

  it("takes exactly 64 KiB", () => {
    const text = `${HEAD}#`;
    expect(problemsOf(text + "x".repeat(MAX_MANIFEST_BYTES - text.length))).toEqual([]);
  });

  it.each([
    ["NUL", "\0", "U+0000"],
    ["ESC", "\u001b", "U+001B"],
    ["the parser's own scalar mark", "\u001f", "U+001F"],
    ["a C1 control", "\u009b", "U+009B"],
    ["a lone surrogate", "\ud800", "U+D800"],
  ])("refuses %s", (_, character, name) => {
    expect(problemsOf(`${HEAD}x: a${character}`)).toEqual([
      `4:5 : character ${name} is not allowed`,
    ]);
  });
});

describe("nesting", () => {
  it.each([
    ["[", 21],
    ["{", 21],
    ["- ", 41],
    ["? ", 41],
  ])("stops at the 21st of 5000 %j", (opening, column) => {
    expect(problemsOf(opening.repeat(5_000))).toEqual([
      `1:${String(column)} : nesting deeper than 20`,
    ]);
  });

  it("stops at the 21st level of block mappings", () => {
    const text = Array.from({ length: 30 }, (_, depth) => `${" ".repeat(depth)}a:\n`).join("");
    expect(problemsOf(text)).toEqual(["21:22 : nesting deeper than 20"]);
  });

  it("takes 20 levels", () => {
    expect(readYaml("[".repeat(20) + "]".repeat(20)).faults).toEqual([]);
  });
});

describe("parts of YAML that a manifest does without", () => {
  const ANCHORS = "anchors (&) are not allowed; put text that begins with & in quotes";
  const ALIASES = "aliases (*) are not allowed; put text that begins with * in quotes";

  it("refuses an alias bomb by its first anchors and aliases", () => {
    expect(problemsOf("a: &a [1]\nb: &b [*a, *a]\n")).toEqual([
      `1:4 : ${ANCHORS}`,
      `2:4 : ${ANCHORS}`,
      `2:8 : ${ALIASES}`,
      `2:12 : ${ALIASES}`,
    ]);
  });

  it("refuses a list that contains itself", () => {
    expect(problemsOf("&a [1, *a]")).toEqual([`1:1 : ${ANCHORS}`, `1:8 : ${ALIASES}`]);
  });

  it.each(["!!str 1", "!foo x", "!<tag:x> y", "! z"])("refuses the tag of %j", (value) => {
    expect(problemsOf(`${HEAD}x: ${value}`)).toEqual([
      "4:4 : tags (!) are not allowed; put text that begins with ! in quotes",
    ]);
  });

  it("refuses directives", () => {
    expect(problemsOf(`%YAML 1.1\n---\n${HEAD}`)).toEqual([
      "1:1 : directives (a line that begins with %) are not allowed; remove it",
    ]);
  });

  it("refuses a second document", () => {
    expect(problemsOf(`${HEAD}---\n${HEAD}`)).toEqual([
      "4:1 : a second document begins; a manifest is one YAML document",
    ]);
  });

  it("takes one document between its marks, and a byte order mark", () => {
    expect(problemsOf(`\ufeff---\n${HEAD}...\n`)).toEqual([]);
  });

  it("refuses merge keys", () => {
    expect(problemsOf(`${HEAD}<<: { name: x }`)).toEqual([
      '4:1 ["<<"]: merge keys are not allowed',
    ]);
  });

  it("does not take a sign in a plain string for an anchor or a tag", () => {
    expect(problemsOf(`${HEAD}units: { web: { argv: [/bin/web, a&b, "&c", "*d", e!f] } }`)).toEqual(
      [],
    );
  });

  it("treats a text with an error of syntax as a whole", () => {
    expect(problemsOf("a: 'x")).toEqual(["1:4 : this quote ' is never closed"]);
  });
});

describe("the top", () => {
  it.each(["", "\n\n", "# only a comment\n", "---\n"])("says that %j is empty", (text) => {
    expect(problemsOf(text)).toEqual(["1:1 : the manifest is empty"]);
  });

  it.each([
    ["- a", "a list"],
    ["hello", "a string"],
    ["12", "a number"],
    ["null", "nothing"],
  ])("refuses %j", (text, what) => {
    expect(problemsOf(text)).toEqual([`1:1 : expected a mapping, got ${what}`]);
  });
});

describe("keys", () => {
  it("reports a duplicate with the line of the first", () => {
    expect(problemsOf(`${HEAD}network: own\n# x\n# y\nnetwork: host\n`)).toEqual([
      '7:1 network: duplicate key "network" (first at line 4)',
    ]);
  });

  it("finds duplicates in a mapping that is not in any schema's reach", () => {
    expect(readYaml("a: { b: { c: 1, c: 2 } }").faults).toHaveLength(1);
  });

  it.each(["3000: x", "true: x", "null: x", "? [a]\n: x"])("refuses the key of %j", (line) => {
    expect(problemsOf(HEAD + line)).toEqual([
      `4:${line.startsWith("?") ? "3" : "1"} : a key must be a string; put it in quotes`,
    ]);
  });

  it.each([
    ["at the top", "__proto__: { admin: true }", "4:1 __proto__"],
    ["among volumes", "volumes: { __proto__: {} }", "4:12 volumes.__proto__"],
    [
      "in an environment",
      "units: { web: { argv: [/a], env: { __proto__: x } } }",
      "4:36 units.web.env.__proto__",
    ],
  ])("refuses __proto__ %s and copies it nowhere", (_, line, at) => {
    expect(problemsOf(HEAD + line)).toEqual([`${at}: unknown field "__proto__"`]);
    expect(({} as Record<string, unknown>)["admin"]).toBeUndefined();
  });

  it("keeps __proto__ out of the values it returns", () => {
    const value = readYaml("a: { __proto__: { admin: true }, constructor: x }").root?.value as {
      a: Record<string, unknown>;
    };
    expect(Object.keys(value.a)).toEqual(["constructor"]);
    expect(Object.getPrototypeOf(value.a)).toBeNull();
  });

  it.each(["constructor", "prototype", "toString", "hasOwnProperty"])(
    "knows no field %s",
    (field) => {
      expect(problemsOf(`${HEAD}${field}: {}`)[0]).toMatch(
        `4:1 ${field}: unknown field "${field}"`,
      );
    },
  );

  it("takes constructor where names are free", () => {
    expect(parse(`${HEAD}volumes: { constructor: {} }`).volumes[0]?.name).toBe("constructor");
  });
});

describe("numbers", () => {
  it.each(["1e3", "0x10", "0o17", "007", "+1", ".5", "1e999", ".inf", "-.inf", ".nan"])(
    "refuses %s, which would silently become another number",
    (number) => {
      expect(problemsOf(`${HEAD}limits: { pids.max: ${number} }`)).toEqual([
        `4:21 limits.pids.max: this is not a plain decimal number; put it in quotes if it is text`,
      ]);
    },
  );

  it("refuses 2^53+1, which would lose its last digit", () => {
    expect(problemsOf(`${HEAD}limits: { pids.max: 9007199254740993 }`)).toEqual([
      "4:21 limits.pids.max: this number is too large; put it in quotes if it is text",
    ]);
  });

  it("reads yes, no, on and 1:30 as strings", () => {
    expect(readYaml("[yes, no, on, 1:30, 12:30:45]").root?.value).toEqual([
      "yes",
      "no",
      "on",
      "1:30",
      "12:30:45",
    ]);
  });
});

describe("work that grows with the text", () => {
  // Structure instead of time: none of these may reach the composer or the schema.
  it.each([
    ["keys", Array.from({ length: 9_000 }, (_, index) => `${index.toString(36)}: \n`).join("")],
    ["list items", `a: [${"b,".repeat(30_000)}]`],
    ["comments", "#\n".repeat(30_000)],
    ["stray brackets", "]".repeat(60_000)],
  ])("gives up at one token too many of %s", (_, text) => {
    const { root, faults } = readYaml(text);
    expect(root).toBeUndefined();
    expect(faults.map(({ text: said }) => said)).toEqual([
      `manifest is more than ${String(MAX_TOKENS)} tokens`,
    ]);
  });

  it("finds thousands of duplicate keys in one pass and shows the first hundred", () => {
    const lines = problemsOf(`${HEAD}${"volumes: {}\n".repeat(4_000)}`);
    expect(lines).toHaveLength(101);
    expect(lines.at(-1)).toMatch(/: and more: only the first 100 problems are shown$/);
  });
});
