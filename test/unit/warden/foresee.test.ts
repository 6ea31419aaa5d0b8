import { execFileSync } from "node:child_process";
import { chmod, copyFile, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { beforeEach, describe, expect, it } from "vitest";

import type { BoundarySpec, UnitSpec, VolumeName } from "../../../src/spec/index.js";
import { directoryFiles } from "../../../src/root-files.js";
import { foresee } from "../../../src/warden/foresee.js";
import type { Lack } from "../../../src/warden/port.js";
import { cell, unit } from "../../fixture/index.js";
import { temporaryDirectory } from "../../fixture/directory.js";

let root: string;
beforeEach(async () => {
  root = await temporaryDirectory();
  for (const directory of ["etc", "usr/bin", "srv", "opt/app", "run", "tmp", "dev", "proc", "sys"])
    await mkdir(join(root, directory), { recursive: true });
  await symlink("usr/bin", join(root, "bin"));
  await put(
    "etc/passwd",
    "root:x:0:0:root:/root:/bin/sh\nweb:x:33:33:web:/srv:/bin/sh\nbroken:x\n",
  );
  await put("usr/bin/sh", "\x7fELF", 0o755);
  await put("opt/app/run", "#!/bin/sh -e\n", 0o755);
});

async function put(path: string, text: string, mode = 0o644): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
  await chmod(join(root, path), mode);
}

/** Each as `UNIT, FIELD: TEXT`, or without a unit. */
async function lines(asked: Promise<readonly Lack[]>): Promise<readonly string[]> {
  return (await asked).map(({ unit: of, path, text }) =>
    [...(of === undefined ? [] : [of]), `${path.join(".")}: ${text}`].join(", "),
  );
}

function ofUnit(over: Partial<UnitSpec>): Promise<readonly string[]> {
  const units = [unit("web", { argv: ["/opt/app/run"], user: "web", cwd: "/opt/app", ...over })];
  return lines(foresee({ root: directoryFiles(root), cell: cell("shop"), units, isNew: false }));
}

function ofBoundary(over: Partial<BoundarySpec>): Promise<readonly string[]> {
  return lines(
    foresee({
      root: directoryFiles(root),
      cell: cell("shop", { boundary: over }),
      units: [],
      isNew: true,
    }),
  );
}

const volume = (path: string, owner?: string) => ({
  ...{ volume: "data" as VolumeName, path, readOnly: false },
  ...(owner === undefined ? {} : { owner }),
});

describe("a unit", () => {
  it("that its root can start is not doubted", async () => {
    expect(await ofUnit({})).toEqual([]);
    expect(await ofUnit({ user: "65535", argv: ["sh"], cwd: "/bin/../../srv" })).toEqual([]);
    expect(await ofUnit({ argv: ["./run"] })).toEqual([]);
  });

  it.each<[string, Partial<UnitSpec>, string]>([
    [
      "no such user",
      { user: "nosuch" },
      "user: cannot run as user nosuch: /etc/passwd of the cell",
    ],
    ["a user of a cut line", { user: "broken" }, "user: cannot run as user broken"],
    [
      "no such directory",
      { cwd: "/nowhere" },
      "cwd: cannot start in cwd /nowhere: the cell has no",
    ],
    [
      "a file as directory",
      { cwd: "/etc/passwd" },
      "cwd: cannot start in cwd /etc/passwd: it is not",
    ],
    [
      "no such program",
      { argv: ["/opt/app/rnu"] },
      "argv.0: cannot run /opt/app/rnu: the cell's root has no",
    ],
    ["none in PATH", { argv: ["puma"] }, "argv.0: cannot run puma: no directory of PATH"],
    [
      "a PATH of its own",
      { argv: ["sh"], env: { PATH: "/opt" } },
      "argv.0: cannot run sh: no directory of PATH (/opt)",
    ],
    [
      "what may not be executed",
      { argv: ["/etc/passwd"] },
      "argv.0: cannot run /etc/passwd: it is not a file this user may",
    ],
    ["a directory", { argv: ["/opt/app"] }, "argv.0: cannot run /opt/app: it is not a file"],
    [
      "no such env file",
      { envFiles: ["/etc/web.env"] },
      "env-files.0: cannot read the env file /etc/web.env",
    ],
    [
      "a directory of env",
      { envFiles: ["/etc"] },
      "env-files.0: cannot read the env file /etc: it is a directory",
    ],
    [
      "a probe that is not there",
      { readiness: { kind: "exec", argv: ["/bin/check"], timeoutMs: 1 } },
      "readiness.exec.0: cannot run /bin/check",
    ],
  ])("with %s is refused in words", async (_what, over, text) => {
    const said = await ofUnit(over);
    expect(said).toHaveLength(1);
    expect(said[0]).toContain(`web, ${text}`);
  });

  it.each([
    ["/usr/bin/ruby", "#!/usr/bin/ruby\n", "it needs the interpreter /usr/bin/ruby, which"],
    ["with a blank", "#! /usr/bin/ruby -w\n", "it needs the interpreter /usr/bin/ruby, which"],
    ["of Windows", "#!/bin/sh\r\n", "it has the line ends of Windows"],
  ])("whose script has an interpreter %s is refused", async (_what, text, why) => {
    await put("opt/app/script", text, 0o755);
    const [line] = await ofUnit({ argv: ["/opt/app/script"] });
    expect(line).toContain(`argv.0: cannot run /opt/app/script: ${why}`);
  });

  it("that is dynamic needs the loader its file names", async () => {
    await copyFile(process.execPath, join(root, "usr/bin/node"));
    const headers = execFileSync("readelf", ["--program-headers", process.execPath]).toString();
    const interpreter = /program interpreter: (\S+)\]/.exec(headers)?.[1];
    if (interpreter === undefined) throw new Error("node is static here");
    const [line] = await ofUnit({ argv: ["/usr/bin/node"] });
    expect(line).toContain(`it needs the interpreter ${interpreter}, which`);
    await put(interpreter, await readFile(interpreter, "latin1"), 0o755);
    expect(await ofUnit({ argv: ["/usr/bin/node"] })).toEqual([]);
  });

  it("is not doubted for what is mounted over its root", async () => {
    const spec = cell("shop", {
      boundary: {
        mounts: [volume("/srv")],
        tmpfs: [{ path: "/opt/app", sizeBytes: 1 }],
        files: [{ source: "/x", path: "/etc/passwd" }],
      },
    });
    const units = [
      unit("web", {
        user: "nosuch",
        cwd: "/srv/app",
        argv: ["/opt/app/nosuch"],
        envFiles: ["/run/web.env"],
      }),
    ];
    expect(await foresee({ root: directoryFiles(root), cell: spec, units, isNew: false })).toEqual(
      [],
    );
  });

  it("is looked for inside its root alone, and a circle of links or a pipe ends no look", async () => {
    await symlink("/etc", join(root, "opt/out"));
    await symlink("../../../../../../etc/passwd", join(root, "opt/up"));
    await symlink("circle", join(root, "opt/circle"));
    execFileSync("mkfifo", ["--mode=755", join(root, "opt/pipe")]);
    expect(await ofUnit({ cwd: "/opt/out" })).toEqual([]);
    expect((await ofUnit({ argv: ["/opt/up"] }))[0]).toContain("not a file this user may execute");
    expect(await ofUnit({ argv: ["/opt/circle/x"] })).toHaveLength(1);
    expect(await ofUnit({ argv: ["/opt/pipe"] })).toHaveLength(1);
    expect((await ofUnit({ cwd: "/opt/out/shadow-of-the-host" }))[0]).toContain(
      "no such directory",
    );
  });
});

describe("a cell", () => {
  it("whose mount points its root has, or lets it make, is not doubted", async () => {
    await mkdir(join(root, "var/tmp"), { recursive: true });
    await chmod(join(root, "var/tmp"), 0o1777);
    const mounts = ["/srv", "/run/app", "/tmp/a/b", "/var/tmp/new"].map((path) =>
      volume(path, "web"),
    );
    const inner = [...mounts, volume("/srv/inside/of/the/volume")];
    expect(
      await ofBoundary({ mounts: inner, files: [{ source: "/x", path: "/etc/passwd" }] }),
    ).toEqual([]);
  });

  it.each<[string, Partial<BoundarySpec>, string]>([
    [
      "no such directory",
      { mounts: [volume("/extra")] },
      "mounts.0.path: cannot mount on /extra: the cell's root has no",
    ],
    [
      "a link on the way",
      { mounts: [volume("/bin/app")] },
      "mounts.0.path: cannot mount on /bin/app: a part of the path is a symbolic",
    ],
    [
      "a file on the way",
      { tmpfs: [{ path: "/etc/passwd/x", sizeBytes: 1 }] },
      "tmpfs.0.path: cannot mount on /etc/passwd/x: a part of",
    ],
    [
      "a file that is not there",
      { files: [{ source: "/x", path: "/etc/app.conf" }] },
      "files.0.path: cannot mount on /etc/app.conf",
    ],
    [
      "a directory for a file",
      { files: [{ source: "/x", path: "/etc" }] },
      "files.0.path: cannot show a file at /etc",
    ],
    [
      "an owner nobody knows",
      { mounts: [volume("/srv", "nosuch")] },
      "mounts.0.owner: cannot give /srv to nosuch: /etc/passwd",
    ],
  ])("with %s is refused in words", async (_what, over, text) => {
    const said = await ofBoundary(over);
    expect(said).toHaveLength(1);
    expect(said[0]).toContain(text);
  });
});
