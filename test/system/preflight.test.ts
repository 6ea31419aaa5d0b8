// The built daemon and CLI: a change whose root cannot run it is refused, by `plan` as by `up`, before anything is stopped.

import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { TestDaemon } from "../fixture/daemon.js";

const INVALID = 65;

let daemon: TestDaemon;
let manifest: string;
let archive: string;

beforeAll(async () => {
  daemon = await TestDaemon.start("--pool-size", "1");
  manifest = join(daemon.root, "shop.yaml");
  archive = await makeImage("good", true);
});

afterAll(async () => {
  await daemon.remove();
});

/** A root file system with sleep, and the user app or not. */
async function makeImage(name: string, hasUser: boolean): Promise<string> {
  const tree = join(daemon.root, name);
  for (const directory of ["proc", "sys", "dev", "run", "tmp", "srv", "etc"])
    await mkdir(join(tree, directory), { recursive: true });
  const program = "/usr/bin/sleep";
  const libraries = execFileSync("ldd", [program], { encoding: "utf8" }).match(/\/\S+/g) ?? [];
  for (const file of [program, ...libraries]) {
    await mkdir(join(tree, dirname(file)), { recursive: true });
    execFileSync("cp", ["--dereference", file, join(tree, file)]);
  }
  const app = hasUser ? "app:x:1000:1000::/:/usr/bin/sleep\n" : "";
  await writeFile(join(tree, "etc/passwd"), `root:x:0:0:root:/:/usr/bin/sleep\n${app}`);
  execFileSync("tar", ["-cf", `${tree}.tar`, "-C", tree, "."]);
  return `${tree}.tar`;
}

interface Wanted {
  readonly root?: "host" | "app";
  readonly of?: string;
  readonly cell?: string;
  readonly unit?: string;
}

/** A monolith whose one unit sleeps. */
async function write({ root = "host", of = archive, cell = "", unit = "" }: Wanted): Promise<void> {
  const where =
    root === "app" ? `images: { app: { archive: ${of} } }\nroot: { image: app }` : "root: host";
  const text = `
henge: 1
name: shop
${where}
volumes: { data: {} }
${cell}
units:
  web: { argv: [/usr/bin/sleep, "1000"]${unit} }
`;
  await writeFile(manifest, text);
}

async function pid(): Promise<number | null> {
  return (await daemon.unit("shop", "web")).pid;
}

const TYPOS: readonly (readonly [string, Wanted, string])[] = [
  ["user", { unit: ", user: nosuch" }, "units.web.user: cannot run as user nosuch"],
  ["cwd", { unit: ", cwd: /nowhere" }, "units.web.cwd: cannot start in cwd /nowhere"],
  [
    "env file",
    { unit: ", env-files: [/etc/nosuch.env] }".slice(0, -2) },
    "units.web.env-files[0]: cannot read",
  ],
  [
    "mount",
    { cell: "mounts: [{ volume: data, path: /extra }]" },
    "mounts[0].path: cannot mount on /extra",
  ],
];

describe.each([["the host's root"], ["an image"]] as const)("a unit that runs in %s", (where) => {
  const root = where === "an image" ? ("app" as const) : ("host" as const);
  let before: number | null;

  beforeAll(async () => {
    await write({ root });
    await daemon.must("up", manifest);
    before = await pid();
  });

  afterAll(async () => {
    await daemon.must("down", "shop", "--destroy-data", "--yes-destroy", "shop");
  });

  it.each(TYPOS)(
    "goes on when the %s of a new manifest is mistyped",
    async (_what, wanted, text) => {
      await write({ root, ...wanted });
      for (const verb of ["plan", "up", "upgrade"]) {
        const { exit, stderr } = await daemon.henge(verb, manifest);
        expect([exit, stderr], verb).toEqual([INVALID, expect.stringContaining(text)]);
      }
      expect(await pid()).toBe(before);
      expect(await daemon.unit("shop", "web")).toMatchObject({ state: "running", restarts: 0 });
    },
  );
});

it("is not begun, nor planned, on a port that a process of the host has", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  try {
    const publish = `network: own\npublish: ["127.0.0.1:${String(port)}:80"]`;
    await write({ cell: publish });
    for (const verb of ["plan", "up"]) {
      const { exit, stderr } = await daemon.henge(verb, manifest);
      expect(exit, verb).not.toBe(0);
      expect(stderr).toContain("a process of the host listens there (EADDRINUSE)");
    }
    expect(await daemon.ps()).toEqual([]);
  } finally {
    server.close();
  }
});

it("goes on when a new image lacks what it needs, which is seen in its archive", async () => {
  await write({ root: "app", unit: ", user: app" });
  await daemon.must("up", manifest);
  const before = await pid();
  await write({ root: "app", of: await makeImage("bad", false), unit: ", user: app" });
  for (const verb of ["plan", "up", "upgrade"]) {
    const { exit, stderr } = await daemon.henge(verb, manifest);
    expect([exit, stderr], verb).toEqual([
      INVALID,
      expect.stringContaining("cannot run as user app"),
    ]);
    expect(await pid()).toBe(before);
  }
  const snapshots = JSON.parse(await daemon.must("snapshots", "shop", "-o", "json")) as unknown[];
  expect(snapshots).toEqual([]);
});
