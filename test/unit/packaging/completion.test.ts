// henge's completion, asked by a real bash for what would follow a line, beside a `henge` that knows two cells.

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { beforeEach, expect, it } from "vitest";

import { completionWords } from "../../../packaging/completion.js";
import { readCommand } from "../../../packaging/words.js";
import { makeProgram } from "../../../src/cli/program.js";
import { temporaryDirectory } from "../../fixture/directory.js";

const program = readCommand(makeProgram(process, () => () => Promise.resolve()));
const SCRIPT = completionWords(program) + readFileSync("packaging/henge.bash", "utf8");
const CELLS = [
  { cell: "shop", state: "running", units: [] },
  {
    cell: "shop/web",
    state: "running",
    units: [{ name: "puma", state: "running", exit: { signal: "TERM" } }],
  },
  { cell: "$(touch evil)", units: [{ name: "`touch evil`" }] },
];

let directory = "";

beforeEach(async () => {
  directory = await temporaryDirectory();
  writeFileSync(join(directory, "henge.bash"), SCRIPT);
  writeFileSync(join(directory, "cells.json"), JSON.stringify(CELLS, null, 2));
  mkdirSync(join(directory, "bin"));
  fakeHenge('cat cells.json; echo "$HENGE_PATIENCE $*" >asked');
});

function fakeHenge(body: string): void {
  writeFileSync(join(directory, "bin/henge"), `#!/bin/bash\n${body}\n`, { mode: 0o755 });
}

function complete(line: string): readonly string[] {
  const ask = `. ./henge.bash; COMP_LINE=$1 COMP_POINT=\${#1} _henge; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const said = execFileSync("bash", ["--norc", "-uc", ask, "bash", line], {
    cwd: directory,
    env: { PATH: `${join(directory, "bin")}:${process.env["PATH"] ?? ""}` },
    encoding: "utf8",
  });
  return said.split("\n").filter((word) => word !== "");
}

it("completes every verb of the program and nothing else", () => {
  expect(complete("henge ")).toEqual(program.verbs.map(({ name }) => name));
  expect(complete("henge st")).toEqual(["start", "stop"]);
});

it.each(program.verbs.map((verb) => [verb.name, verb] as const))(
  "completes every option of %s",
  (name, { options }) => {
    const flags = options.flatMap(({ short, long }) => [short ?? [], long].flat());
    expect(complete(`henge ${name} -`)).toEqual(flags);
  },
);

it("completes what an option takes, and goes on after it", () => {
  expect(complete("henge ps -o ")).toEqual(["text", "json"]);
  expect(complete("henge ps --output j")).toEqual(["json"]);
  expect(complete("henge -o json v")).toEqual(["validate", "version"]);
  expect(complete("henge logs --tail ")).toEqual([]);
  mkdirSync(join(directory, "root"));
  expect(complete("henge ps --root r")).toEqual(["root"]);
});

it("asks the daemon for names, with a short deadline, and believes only names", () => {
  expect(complete("henge get ")).toEqual(["shop", "shop/web"]);
  expect(readFileSync(join(directory, "asked"), "utf8")).toBe("1 ps -o json\n");
  expect(complete("henge down ")).toEqual(["shop"]);
  expect(complete("henge logs -f shop/w")).toEqual(["shop/web", "shop/web:puma"]);
  expect(complete("henge exec ")).toEqual(["shop", "shop/web", "shop/web:puma"]);
});

it("asks the daemon of the root that was given", () => {
  complete("henge --root /srv/henge get ");
  expect(readFileSync(join(directory, "asked"), "utf8")).toBe("1 --root /srv/henge ps -o json\n");
});

it("gives only what follows the colon, where readline has cut the word", () => {
  expect(complete("henge restart shop/web:p")).toEqual(["puma"]);
});

it("completes files for a manifest, and nothing once all arguments are there", () => {
  expect(complete("henge up ce")).toEqual(["cells.json"]);
  expect(complete("henge get shop ")).toEqual([]);
  expect(complete("henge exec shop -")).toEqual([]);
});

it("is silent when no daemon answers", () => {
  fakeHenge("echo no daemon >&2; exit 69");
  expect(complete("henge get ")).toEqual([]);
});
