// The Debian package as packaging/build makes it of what is built: what is in it, and that it is always the same.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { readCommand } from "../../packaging/words.js";
import { makeProgram } from "../../src/cli/program.js";
import { makeDaemonProgram } from "../../src/command-line.js";
import { manifestJsonSchema } from "../../src/manifest/index.js";

interface Entry {
  /** As ls(1) shows it, e.g. `-rwxr-xr-x`. */
  readonly mode: string;
  readonly owner: string;
  readonly path: string;
}

let work = "";
let made = "";
let entries: readonly Entry[] = [];

/** A directory of its own for each, so that nothing of one build can be seen by another. */
function build(directory: string): string {
  mkdirSync(join(work, directory));
  const argv = [join(work, directory)];
  return execFileSync("packaging/build", argv, { encoding: "utf8", stdio: "pipe" }).trim();
}

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "henge-package-"));
  made = build("made");
  execFileSync("dpkg-deb", ["--raw-extract", made, join(work, "tree")]);
  entries = execFileSync("dpkg-deb", ["--contents", made], { encoding: "utf8" })
    .trimEnd()
    .split("\n")
    .map((line) => {
      const [mode = "", owner = "", , , , path = ""] = line.split(/ +/);
      return { mode, owner, path: path.slice(1) };
    });
});
afterAll(() => rm(work, { recursive: true, force: true }));

function read(path: string): string {
  const bytes = readFileSync(join(work, "tree", path));
  return (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
}

/** A page of the manual as it is read: without the marks for fonts and minus signs. */
function readPage(path: string): string {
  return read(path).replaceAll("\\-", "-").replaceAll(/\\f./g, "");
}

it("is made the same, byte for byte, from the same checkout", () => {
  const [first, again] = [readFileSync(made), readFileSync(build("again"))];
  expect(again.equals(first)).toBe(true);
});

describe("what is installed", () => {
  it("belongs to root, and nobody else can write or become anything by it", () => {
    expect(entries.length).toBeGreaterThan(500);
    for (const { mode, owner, path } of entries) {
      expect.soft({ path, owner }).toEqual({ path, owner: "root/root" });
      expect.soft({ path, mode }).toEqual({
        path,
        mode: expect.stringMatching(/^(?:drwxr-xr-x|-rw-r--r--|-rwxr-xr-x|lrwxrwxrwx)$/) as string,
      });
    }
  });

  it("can be executed only where it is a program", () => {
    const programs = entries.filter(({ mode }) => mode === "-rwxr-xr-x").map(({ path }) => path);
    expect(programs.sort()).toEqual([
      "/usr/lib/henge/dist/henge-helper",
      "/usr/lib/henge/dist/henge-warden",
      "/usr/lib/henge/dist/src/cli/main.js",
      "/usr/lib/henge/dist/src/main.js",
    ]);
  });

  it("has nothing of the tests, benchmarks and tools, nor what only they need", () => {
    const paths = entries.map(({ path }) => path);
    const { devDependencies } = JSON.parse(readFileSync("package.json", "utf8")) as {
      devDependencies: object;
    };
    for (const name of Object.keys(devDependencies))
      expect(paths).not.toContain(`/usr/lib/henge/node_modules/${name}/`);
    expect(
      paths.filter((path) => /\/(?:bench|packaging|tests?)\/|\.(?:ts|map)$/.test(path)),
    ).toEqual([]);
  });

  it("runs on Debian's Node.js, whatever PATH says", () => {
    for (const program of ["henge", "henged"])
      expect(read(`usr/bin/${program}`).split("\n", 1)).toEqual(["#!/usr/bin/node"]);
  });

  it("loads from where it lies", () => {
    const henge = join(work, "tree/usr/bin/henge");
    const henged = join(work, "tree/usr/bin/henged");
    const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
    for (const program of [henge, henged])
      expect(execFileSync(process.execPath, [program, "--version"], { encoding: "utf8" })).toBe(
        `${version}\n`,
      );
    const checked = execFileSync(
      process.execPath,
      [henge, "validate", join(work, "tree/usr/share/doc/henge/examples/henge.yaml")],
      { encoding: "utf8" },
    );
    expect(checked).toContain("minimal");
  });

  it("has the units, the schema of manifests and the files an administrator edits", () => {
    const units = execFileSync("ls", ["packaging/systemd"], { encoding: "utf8" })
      .trim()
      .split("\n");
    for (const unit of units)
      expect(read(`usr/lib/systemd/system/${unit}`)).toBe(
        readFileSync(join("packaging/systemd", unit), "utf8"),
      );
    expect(JSON.parse(read("usr/share/henge/manifest.schema.json"))).toEqual(
      JSON.parse(JSON.stringify(manifestJsonSchema())),
    );
    expect(read("DEBIAN/conffiles").trim().split("\n")).toEqual([
      "/etc/default/henged",
      "/etc/needrestart/conf.d/henge.conf",
    ]);
  });

  it("has maintainer scripts that name every unit that can be enabled", () => {
    for (const script of ["postinst", "prerm", "postrm"]) {
      execFileSync("sh", ["-n", join(work, "tree/DEBIAN", script)]);
      expect(read(`DEBIAN/${script}`)).not.toMatch(/@[A-Z_]+@/);
    }
    expect(read("DEBIAN/postinst")).toContain(
      "deb-systemd-invoke start henge-cells.socket henge-monoliths.service henged.service henged.socket ",
    );
    expect(read("DEBIAN/postrm")).toContain("-o name,guid,henge:owner");
    expect(existsSync(join(work, "tree/DEBIAN/preinst"))).toBe(false);
  });
});

describe("the manual", () => {
  it("has every verb and every option", () => {
    const client = readCommand(makeProgram(process, () => () => Promise.resolve()));
    const daemon = readCommand(makeDaemonProgram(undefined));
    const [page, daemonPage] = [
      readPage("usr/share/man/man1/henge.1.gz"),
      readPage("usr/share/man/man8/henged.8.gz"),
    ];
    for (const { usage, options } of client.verbs) {
      expect(page).toContain(`\n.SS henge ${usage}\n`);
      for (const { flags } of options) expect(page).toContain(`\n${flags}\n`);
    }
    for (const { flags } of daemon.options) expect(daemonPage).toContain(`\n${flags}\n`);
  });

  it.each([
    ["man1/henge.1.gz", "henge - runs stateful monoliths in cells"],
    ["man5/henge.yaml.5.gz", "henge.yaml - the manifest of a monolith"],
    ["man8/henged.8.gz", "henged - the daemon of Henge"],
  ])("has %s where man(1) and apropos(1) find it", (page, line) => {
    expect(read(`usr/share/man/${page}`)).toContain(`\n.SH NAME\n.LP\n${line}\n`);
  });
});
