// Prints one of the files of the package that are made and not copied; packaging/build puts each in its place.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { makeProgram } from "../src/cli/program.js";
import { makeDaemonProgram } from "../src/command-line.js";
import { packageDirectory, readPackageVersion } from "../src/package.js";

import { completionWords } from "./completion.js";
import { clientPage, daemonPage, manifestPage } from "./manual.js";
import { copyrightText, runtimeModules } from "./modules.js";
import { pageFromMarkdown } from "./roff.js";
import { readCommand } from "./words.js";

const PRINTERS: Readonly<Record<string, () => string>> = {
  "henge.1": () => page("henge", 1, clientPage(clientWords(), readText("docs/cli.md"))),
  "henge.yaml.5": () => page("henge.yaml", 5, manifestPage(readText("docs/manifest.md"))),
  "henged.8": () => page("henged", 8, daemonPage(daemonWords(), readText("docs/henged.md"))),
  "henge.bash": () => completionWords(clientWords()) + readText("packaging/henge.bash"),
  copyright: () => copyrightText(packageDirectory, modules(), readLibcLicence()),
  modules: () =>
    modules()
      .map(({ path }) => `${path}\n`)
      .join(""),
};

const [wanted = ""] = process.argv.slice(2);
const print = PRINTERS[wanted];
if (print === undefined) throw new Error(`it is one of ${Object.keys(PRINTERS).join(", ")}`);
process.stdout.write(print());

function clientWords() {
  return readCommand(makeProgram(process, () => () => Promise.resolve()));
}

function daemonWords() {
  return readCommand(makeDaemonProgram(undefined));
}

function modules() {
  return runtimeModules(readText("package-lock.json"));
}

function page(name: string, section: number, markdown: string): string {
  const seconds = Number(process.env["SOURCE_DATE_EPOCH"]);
  const date = new Date(seconds * 1_000).toISOString().slice(0, 10);
  return pageFromMarkdown(markdown, { name, section, version: readPackageVersion(), date });
}

/** Of the very musl that musl-gcc links with. */
function readLibcLicence(): string {
  return readFileSync("/usr/share/doc/musl-dev/copyright", "utf8");
}

function readText(path: string): string {
  return readFileSync(join(packageDirectory, path), "utf8");
}
