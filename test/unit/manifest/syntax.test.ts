// Texts that are not YAML, as people write them: one problem each, in words, at the place that has to be changed.

import { describe, expect, it } from "vitest";

import { readYaml } from "../../../src/manifest/yaml.js";
import { HEAD, problemsOf, unitProblems } from "./fixture.js";

const PAIR = "this line is not KEY: VALUE; write a colon and a space after the key";

describe("a text that is not YAML", () => {
  it.each([
    ["henge: 1\nname:shop\nroot: host\n", "2:5 : put a space after this colon"],
    ["henge: 1\nroot: host\nname:shop\n", "3:5 : put a space after this colon"],
    ["henge: 1\nname\nroot: host\n", `2:1 : ${PAIR}`],
    ["henge: 1\nshop\n", `2:1 : ${PAIR}`],
    ["a:\n\tb: 1\n", "2:1 : a tab indents this line; YAML takes spaces only"],
    ["a: 'x\nb: 1\n", "1:4 : this quote ' is never closed"],
    ['a: 1\nb: "x\n', '2:4 : this quote " is never closed'],
    [
      'a: "C:\\path"\n',
      "1:7 : in double quotes a backslash begins an escape such as \\n; write \\\\ for a backslash, or use single quotes",
    ],
    [
      "a: 'it's'\n",
      "1:8 : something stands behind the closing quote; put the whole value in quotes",
    ],
    [
      "a: [1, 2\nb: 3\n",
      "1:4 : this [ is never closed; end it with ], and indent the lines inside it, that of the ] too",
    ],
    [
      "a: {\nb: 1\n}\n",
      "1:4 : this { is never closed; end it with }, and indent the lines inside it, that of the } too",
    ],
    ["a: [1, 2]]\n", "1:10 : this ] closes nothing"],
    ["a: [1, 2}\n", "1:9 : this } cannot close a ["],
    ["a: [1,,2]\n", "1:7 : this comma stands before nothing; remove it"],
    ['a: ["b" "c"]\n', "1:9 : inside [ ] and { } a comma must stand between two entries"],
    ["a: b: c\n", "1:4 : a second colon on one line; put the value in quotes if it is text"],
    [
      "a: 1\n  b: 2\n",
      "2:3 : this line is indented further than the one above, whose key has a value already",
    ],
    [
      "a:\n    b: 1\n  c: 2\n",
      "3:1 : this line is indented unlike those beside it; begin them at the same column",
    ],
    ["a: @x\n", "1:4 : a text cannot begin with this character; put it in quotes"],
    ["a: |x\n b\n", "1:5 : after | or > its line may hold only -, + or a digit"],
    ["a: [1]#c\n", "1:7 : put a space before this #"],
    [
      "- a\nb: 1\n",
      "2:1 : a list and a mapping cannot stand at the same place; indent one of them",
    ],
    [
      "a: 1\rb: 2\r",
      "1:5 : a line ends with a carriage return alone; save the file with the line ends of Unix (LF)",
    ],
    ["a: 1\n\ufeffb: 2\n", "2:1 : a byte order mark stands in the middle of the text; remove it"],
  ])("%j", (text, problem) => {
    expect(problemsOf(text)).toContain(problem);
    expect(readYaml(text).faults.length).toBeLessThanOrEqual(2);
  });
});

describe("a value that may be a secret is told in no way it can be misspelt", () => {
  const SECRET = "hunter2";
  const NUMBER = "1234567890123456789";

  it.each([
    "env: { P: 123456789 }",
    `env: { P: ${NUMBER} }`,
    "env: { P: 0123456 }",
    `env: { P: { a: ${SECRET} } }`,
    `env: { P: [${SECRET}] }`,
    `env: { P:${SECRET} }`,
    `env: { P=${SECRET} }`,
    `env: { P ${SECRET}: x }`,
    `env: [P=${SECRET}]`,
    `env: P:${SECRET}`,
    `env: "P: ${SECRET}"`,
    `P:${SECRET}`,
    `P=${SECRET}`,
    `env: { "P": "x" ${SECRET} }`,
    `env: { P: x, P: ${SECRET}, P: ${SECRET}y }`,
    `env: { P: *${SECRET} }`,
    `env: { P: !${SECRET} x }`,
    `env: { P: "${SECRET}\\q" }`,
    `env: { P: "${SECRET}\\0" }`,
    `env: { P: "${SECRET} }`,
    `env: { P: ${SECRET}: x }`,
    `argv: [/bin/web, ${NUMBER}]`,
    `argv: "/bin/web --password ${SECRET}"`,
    `argv: { a: ${SECRET} }`,
    `readiness: { http: { port: 1, headers: { Authorization: ${NUMBER} } } }`,
    `readiness: { http: { port: 1, headers: { Authorization: "${SECRET}é" } } }`,
  ])("%s", (fields) => {
    const problems = unitProblems(fields);
    expect(problems).not.toEqual([]);
    for (const problem of problems) expect(problem).not.toMatch(/hunter2|12345/);
  });

  it("in lines of their own", () => {
    const unit = `${HEAD}units:\n  web:\n    argv: [/bin/web]\n    env:\n`;
    for (const lines of [
      "      A: 1\n      P:hunter2\n      B: 2\n",
      "      P hunter2\n",
      "      - P=hunter2\n",
      "    P: hunter2\n",
      "\t\tP: hunter2\n",
      "      P: hunter2\n     Q: hunter2\n",
      "      A: 'x' hunter2\n",
      "      P: |hunter2\n",
      "      P: hunter2: x\n",
      "    - hunter2\n",
    ]) {
      const problems = problemsOf(unit + lines);
      expect(problems, lines).not.toEqual([]);
      expect(problems.join("\n"), lines).not.toContain("hunter2");
    }
  });
});

describe("what the whole path can take", () => {
  const long = "a".repeat(31);

  it("refuses names that are too long together, where that begins, and before anything is made", () => {
    const nested = `cells: { ${long}: { cells: { ${long}: { cells: { x: {} } } } } }`;
    expect(problemsOf(`henge: 1\nname: ${long}\nroot: host\n${nested}\n`)).toEqual([
      `4:54 cells.${long}.cells.${long}: the whole name of this cell, with those it is nested in, has 95 characters; at most 78 are possible: choose shorter names`,
    ]);
  });

  it("takes names that are just short enough", () => {
    const nested = `cells: { ${long}: { cells: { ${"b".repeat(14)}: {} } } }`;
    expect(problemsOf(`henge: 1\nname: ${long}\nroot: host\n${nested}\n`)).toEqual([]);
  });
});

describe("a mount below a link that every Debian image has", () => {
  it.each([
    ["/var/run/app", "/var/run is a link to /run in Debian images: write /run/app"],
    ["/var/lock", "/var/lock is a link to /run/lock in Debian images: write /run/lock"],
    ["/bin/x", "/bin is a link to /usr/bin in Debian images: write /usr/bin/x"],
    ["/lib64/x/y", "/lib64 is a link to /usr/lib64 in Debian images: write /usr/lib64/x/y"],
  ])("%s", (path, text) => {
    const manifest = `${HEAD}volumes: { v: {} }\n`;
    expect(problemsOf(`${manifest}tmpfs: [${path}]\n`)).toEqual([`5:9 tmpfs[0]: ${text}`]);
    expect(problemsOf(`${manifest}mounts: [{ volume: v, path: ${path} }]\n`)).toEqual([
      `5:29 mounts[0].path: ${text}`,
    ]);
    expect(problemsOf(`${manifest}files: [{ source: /etc/x, path: ${path} }]\n`)).toEqual([
      `5:33 files[0].path: ${text}`,
    ]);
  });

  it("and what only begins like one is taken", () => {
    expect(problemsOf(`${HEAD}tmpfs: [/var/runner, /binary, /library]\n`)).toEqual([]);
  });
});
