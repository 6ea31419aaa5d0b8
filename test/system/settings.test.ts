// Files of settings on a real file system, and the built daemon that refuses what is wrong in them without a word of what
// they say.

import { chmod, mkdir, readFile, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { readSettings } from "../../src/kernel/settings-file.js";
import { temporaryDirectory } from "../fixture/directory.js";
import { TestDaemon } from "../fixture/daemon.js";

describe("a file of settings", () => {
  async function file(mode = 0o640): Promise<string> {
    const path = join(await temporaryDirectory(), "shop.conf");
    await writeFile(path, "A=b\n");
    await chmod(path, mode);
    return path;
  }

  it.each([0o600, 0o640, 0o440])("is read with mode %o", async (mode) => {
    expect(await readSettings(await file(mode))).toBe("A=b\n");
  });

  it.each([0o644, 0o642, 0o641])("is refused with mode %o, for it holds secrets", async (mode) => {
    const path = await file(mode);
    await expect(readSettings(path)).rejects.toMatchObject({
      code: "WRONG_STATE",
      message: `cannot use the file ${path}: every user of this host can use it`,
      hint: `chmod o= ${path}`,
    });
  });

  it("is refused when it is missing, a link, a directory, or too large", async () => {
    const path = await file();
    const link = `${path}.link`;
    await symlink(path, link);
    await expect(readSettings(link)).rejects.toThrow("it is a symbolic link");
    await expect(readSettings(`${path}.none`)).rejects.toThrow("it does not exist");
    await mkdir(`${path}.d`);
    await expect(readSettings(`${path}.d`)).rejects.toThrow("it is a directory");
    await writeFile(path, "A=b\n".repeat(2 ** 17));
    await expect(readSettings(path)).rejects.toThrow("it is larger than 256 KiB");
  });
});

describe("a monolith with settings", () => {
  const CANARY = "c4n4ry-0f-th3-t3st";
  let daemon: TestDaemon;
  let settings: string;
  let manifest: string;

  beforeAll(async () => {
    daemon = await TestDaemon.start("--pool-size", "1");
    settings = join(daemon.root, "shop.conf");
    manifest = join(daemon.root, "shop.yaml");
    await writeFile(
      manifest,
      `
henge: 1
name: shop
root: host
tmpfs: [/srv]
files: [{ source: ./shop.conf, path: /srv/env, keys: [DOMAIN, SECRET], without: [PORT] }]
units:
  web: { argv: [/bin/sleep, "1000"], env-files: [/srv/env], env: { BIND: "127.0.0.1" } }
`,
    );
  });

  beforeEach(async () => {
    await rm(settings, { force: true });
  });

  afterAll(async () => {
    await daemon.remove();
  });

  async function write(text: string, mode = 0o640, path = settings): Promise<void> {
    await writeFile(path, text, { mode });
    await chmod(path, mode);
  }

  /** All the daemon has written in its root, its log included, but for the file itself. */
  async function everythingWritten(): Promise<string> {
    const entries = await readdir(daemon.root, { recursive: true, withFileTypes: true });
    const paths = entries
      .filter((entry) => entry.isFile() && !/pool|shop\.conf/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name));
    return (await Promise.all(paths.map((path) => readFile(path, "latin1")))).join("\n");
  }

  it.each([
    ["", "DOMAIN is missing; SECRET is missing"],
    [`DOMAIN=${CANARY}\nSECRET=\n`, "line 2: SECRET is empty"],
    [
      `DOMAIN=a\nSECRET="${CANARY}\n`,
      "line 2 opens a quote that is never closed; SECRET is missing",
    ],
    [`DOMAIN=a\nSECRET=b\nPORT=${CANARY}\n`, "line 3: shop must not be given PORT"],
  ])("is refused without a value being told: %j", async (text, problem) => {
    await write(text);
    for (const verb of ["plan", "up"]) {
      expect(await daemon.henge(verb, manifest)).toEqual({
        exit: 1,
        stdout: "",
        stderr:
          `henge: cannot use the settings ${settings}: ${problem}\n` +
          "hint: the manifest says under `files` what it must and must not set\n",
      });
    }
    expect(await daemon.ps()).toEqual([]);
    expect(await everythingWritten()).not.toContain(CANARY);
  });

  it("is refused by plan as by up when a file of it is a directory, a link or not there", async () => {
    await write("DOMAIN=a\nSECRET=b\n");
    await symlink(settings, `${settings}.link`);
    for (const [source, why] of [
      ["/etc", "it is a directory"],
      [`${settings}.link`, "it is a symbolic link"],
      [`${settings}.none`, "it does not exist"],
      ["/dev/null", "it is a device"],
    ] as const) {
      const other = `${manifest}.other.yaml`;
      await writeFile(
        other,
        `henge: 1\nname: other\nroot: host\nfiles: [{ source: ${source}, path: /tmp/x }]\n`,
      );
      for (const verb of ["plan", "up"]) {
        const { exit, stderr } = await daemon.henge(verb, other);
        expect(stderr).toContain(`henge: cannot use the file ${source}: ${why}\nhint: `);
        expect(exit).toBe(1);
      }
    }
    expect(await daemon.ps()).toEqual([]);
  });

  it("is refused while its file is not there", async () => {
    expect((await daemon.henge("up", manifest)).stderr).toBe(
      `henge: cannot use the file ${settings}: it does not exist\nhint: correct \`source\` under \`files\`\n`,
    );
  });

  it("gets what its file says, over which its own environment wins, and no record has it", async () => {
    await write(`DOMAIN=example.org\nSECRET=${CANARY}\nBIND=0.0.0.0\n`);
    await daemon.must("up", manifest);
    const { pid } = await daemon.unit("shop", "web");
    const environment = await readFile(`/proc/${String(pid)}/environ`, "utf8");
    expect(environment.split("\0")).toEqual(
      expect.arrayContaining(["DOMAIN=example.org", `SECRET=${CANARY}`, "BIND=127.0.0.1"]),
    );
    expect(environment).not.toContain("0.0.0.0");
    await daemon.must("get", "shop");
    await daemon.kill("SIGKILL");
    await daemon.begin();
    expect(await everythingWritten()).not.toContain(CANARY);
  });

  it("gets the file that has replaced its file, as editors do, with its next start", async () => {
    async function domain(): Promise<string | undefined> {
      const { pid } = await daemon.unit("shop", "web");
      return /DOMAIN=[^\0]*/.exec(await readFile(`/proc/${String(pid)}/environ`, "utf8"))?.[0];
    }
    await write("DOMAIN=old.example\nSECRET=a\n");
    await daemon.must("up", manifest);
    await daemon.must("restart", "shop:web");
    expect(await domain()).toBe("DOMAIN=old.example");
    await write("DOMAIN=new.example\nSECRET=b\n", 0o640, `${settings}.new`);
    await rename(`${settings}.new`, settings);
    expect(await daemon.must("exec", "shop", "--", "cat", "/srv/env")).toContain("new.example");
    await daemon.must("restart", "shop:web");
    expect(await domain()).toBe("DOMAIN=new.example");
    await rm(settings);
    await daemon.must("restart", "shop:web");
    expect(await domain()).toBe("DOMAIN=new.example");
  });
});
