// The documentation is true: what the program has is in it, what it names is there, and its tables are whole.

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";

import { describe, expect, it } from "vitest";

import { makeProgram } from "../../src/cli/program.js";
import { ERROR_CODES } from "../../src/errors.js";
import { manifestJsonSchema } from "../../src/manifest/index.js";
import { SURFACE } from "../../src/surface.js";

const PAGES = [
  "README.md",
  "CHANGELOG.md",
  ...["docs", "docs/notes", "docs/adr", "cells/mastodon"].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith(".md"))
      .map((name) => join(folder, name)),
  ),
];
const read = (path: string): string => readFileSync(path, "utf8");
const CLI = read("docs/cli.md");
const MANIFEST = read("docs/manifest.md");

const program = makeProgram({ stdout: process.stdout }, () => () => Promise.resolve());
const verbs = program.commands.map((command) => ({
  name: command.name(),
  options: command.options.flatMap(({ long }) => (typeof long === "string" ? [long] : [])),
  help: helpOf(command),
}));

function helpOf(command: (typeof program.commands)[number]): string {
  let text = "";
  command.configureOutput({ writeOut: (more) => (text += more) });
  command.outputHelp();
  return text;
}

/** Rows of tables whose first cell has the text as code: `up FILE`. */
function firstCells(page: string): string {
  return page
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) => line.split("|")[1] ?? "")
    .join("\n");
}

describe("every verb", () => {
  it.each(verbs)("$name is in the tables of the README and of docs/cli.md", ({ name }) => {
    const asCode = new RegExp(`\`${name}[ \`]`);
    expect(firstCells(read("README.md"))).toMatch(asCode);
    expect(firstCells(CLI)).toMatch(asCode);
  });

  it.each(verbs)("$name has its options in docs/cli.md", ({ options }) => {
    const unknown = options.filter(
      (long) => !new RegExp(`${long}(?![a-z-])`).test(CLI) && long !== "--help",
    );
    expect(unknown).toEqual([]);
  });

  it.each(verbs)("$name has an example with files that are there", ({ help }) => {
    const [, example = ""] = /Example:\n([^]*)/.exec(help) ?? [];
    expect(example).toContain("henge ");
    const files = [...example.matchAll(/[\w./-]+\/[\w.-]+\.\w+/g)].map(([path]) => path);
    expect(files.filter((path) => !existsSync(path))).toEqual([]);
  });
});

it("has no verb in docs/cli.md that the program lacks", () => {
  const table = CLI.slice(CLI.indexOf("| verb"), CLI.indexOf("\n\n", CLI.indexOf("| verb")));
  const named = [...firstCells(table).matchAll(/`([a-z-]+)[ `]/g)].map(([, name]) => name);
  expect(named.filter((name) => !verbs.some((verb) => verb.name === name))).toEqual([]);
});

it("has every exit code and error code in docs/cli.md, and every exit in the README", () => {
  for (const code of ERROR_CODES) {
    expect(CLI).toMatch(new RegExp(`\\| ${String(SURFACE[code].exit)} .*\`${code}\``));
    expect(read("README.md")).toMatch(new RegExp(`\\| ${String(SURFACE[code].exit)} `));
  }
});

describe("every page", () => {
  it.each(PAGES)("%s has whole tables", (path) => {
    const broken = tablesOf(read(path)).filter(
      ({ rows }) =>
        !/^\|[ :|-]+\|$/.test(rows[1] ?? "") ||
        rows.some((row) => columnsOf(row) !== columnsOf(rows[0] ?? "")),
    );
    expect(broken.map(({ line }) => `${path}:${String(line)}`)).toEqual([]);
  });

  it.each(PAGES)("%s links to what is there", (path) => {
    const links = [...read(path).matchAll(/\]\((?!https?:)([^)#\s]*)(#[^)\s]+)?\)/g)];
    const dead = links.filter(([, file = "", anchor]) => {
      const target = file === "" ? path : join(dirname(path), file);
      if (!existsSync(target)) return true;
      return anchor !== undefined && !anchorsOf(read(target)).includes(anchor);
    });
    expect(dead.map(([link]) => link)).toEqual([]);
  });

  it.each(PAGES.filter((path) => !/CHANGELOG|adr|notes/.test(path)))(
    "%s names files of the checkout that are there",
    (path) => {
      const named = read(path).matchAll(
        /(?<![\w./-])(?:examples|cells|docs|src|test|packaging)\/[\w./-]*\w/g,
      );
      expect([...named].map(([file]) => file).filter((file) => !existsSync(file))).toEqual([]);
    },
  );
});

describe("every field of a manifest", () => {
  it.each(fieldsOf(manifestJsonSchema()))("%s is in docs/manifest.md", (field) => {
    expect(MANIFEST).toMatch(new RegExp(`\`[^\`]*(?<![\\w-])${field}(?![\\w-])[^\`]*\``));
  });
});

function tablesOf(text: string): readonly { readonly line: number; readonly rows: string[] }[] {
  const tables: { line: number; rows: string[] }[] = [];
  let isCode = false;
  text.split("\n").forEach((line, index, lines) => {
    if (line.trimStart().startsWith("```")) isCode = !isCode;
    if (isCode || !line.startsWith("|")) return;
    const continues = lines[index - 1]?.startsWith("|") === true;
    if (continues) tables.at(-1)?.rows.push(line);
    else tables.push({ line: index + 1, rows: [line] });
  });
  return tables;
}

function columnsOf(row: string): number {
  return row.replaceAll("\\|", "").split("|").length;
}

/** As GitHub makes them of headings. */
function anchorsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(
    ([, title = ""]) =>
      `#${title
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-")}`,
  );
}

/** Names of properties anywhere in a schema; limits and other names with a dot too. */
function fieldsOf(schema: unknown): readonly string[] {
  const names = new Set<string>();
  const walk = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    if ("properties" in node && typeof node.properties === "object" && node.properties !== null)
      for (const name of Object.keys(node.properties)) names.add(name);
    for (const part of Object.values(node)) walk(part);
  };
  walk(schema);
  return [...names].sort();
}
