// What an archive is said to hold is what is there when it is unpacked.

import { execFileSync } from "node:child_process";
import { chmod, link, mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";

import { beforeEach, describe, expect, it } from "vitest";

import { directoryFiles } from "../../../src/root-files.js";
import type { RootFile } from "../../../src/root-files.js";
import { readArchiveDigest } from "../../../src/storage/archive.js";
import { readArchiveFiles } from "../../../src/storage/archive-files.js";
import type { ImageName } from "../../../src/spec/index.js";
import { temporaryDirectory } from "../../fixture/directory.js";
import { makeBadArchives } from "./bad-archives.js";

const name = "app" as ImageName;
const patience = () => AbortSignal.timeout(30_000);
const LONG = `srv/${"long-name-".repeat(15)}/${"x".repeat(120)}`;
const FILES = [
  "etc/passwd",
  "usr/bin/tool",
  "srv/with a blank",
  "srv/with -> arrow",
  "srv/ümläut",
  "srv/two\nlines",
  "srv/back\\slash",
  "srv/--dash",
  "srv/*star",
  LONG,
];

let tree: string;
beforeEach(async () => {
  tree = join(await temporaryDirectory(), "tree");
  for (const file of FILES) {
    await mkdir(join(tree, dirname(file)), { recursive: true });
    await writeFile(join(tree, file), `this is ${file}\n`);
  }
  await chmod(join(tree, "usr/bin/tool"), 0o4755);
  await chmod(join(tree, "srv"), 0o1777);
  await symlink("usr/bin", join(tree, "bin"));
  await symlink("/srv/with a blank", join(tree, "etc/link to it"));
  await link(join(tree, "etc/passwd"), join(tree, "etc/same"));
  execFileSync("mkfifo", [join(tree, "srv/pipe")]);
});

async function allPaths(): Promise<readonly string[]> {
  const entries = await readdir(tree, { recursive: true, withFileTypes: true });
  const found = entries.map(
    ({ parentPath, name: last }) => `/${relative(tree, join(parentPath, last))}`,
  );
  return ["/", ...found, "/nowhere", "/etc/passwd/x"];
}

describe.each([
  ["GNU", ["--format=gnu"]],
  ["pax", ["--format=posix"]],
  ["compressed", ["--gzip"]],
])("an archive that is %s", (_what, options) => {
  it.each([
    ["of the directory", ["."]],
    ["of its names", ["etc", "usr", "srv", "bin"]],
  ])("and made %s is seen as it is when it is unpacked", async (_how, members) => {
    const archive = `${tree}.tar`;
    execFileSync("tar", ["-cf", archive, ...options, "-C", tree, ...members]);
    const [files, unpacked] = [
      await readArchiveFiles({ name, archive }, patience()),
      directoryFiles(tree),
    ];
    for (const path of await allPaths()) {
      const seen = await files.look(path);
      if (path === "/") expect(seen?.kind).toBe("directory");
      else
        expect(seen && kept(seen), path).toEqual(await unpacked.look(path).catch(() => undefined));
      if (seen?.kind !== "file") continue;
      expect(await files.read(path, 12), path).toEqual(await unpacked.read(path, 12));
    }
  });
});

function kept({ kind, mode, target }: RootFile): RootFile {
  return { kind, mode, ...(target === undefined ? {} : { target }) };
}

it("is refused in the words an import has for it, where it cannot be read or holds no root", async () => {
  const unseen: string[] = [];
  for (const [archive, words] of await makeBadArchives(await temporaryDirectory())) {
    const said = await readArchiveDigest({ name, archive }, patience())
      .then(() => readArchiveFiles({ name, archive }, patience()))
      .then(() => "", String);
    if (!said.includes(words)) unseen.push(basename(archive));
  }
  // Only unpacking shows these.
  expect(unseen.sort()).toEqual(["link.tar", "outside.tar"]);
});
