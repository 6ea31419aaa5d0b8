// A btrfs pool on a loop device with a small image root and a volume, each a subvolume.

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import type { MountSource } from "../../../src/spec/index.js";

export interface Pool {
  readonly image: MountSource;
  readonly volume: MountSource;
  close(): void;
}

const BTRFS = 0x9123683e;
const PROGRAMS = [
  "/bin/sh",
  "/bin/cat",
  "/bin/ls",
  "/usr/bin/id",
  "/usr/bin/stat",
  "/bin/touch",
  "/usr/bin/env",
];
const TOP = ["proc", "sys", "dev", "run", "tmp", "etc", "data", "var"];

export function openPool(directory: string): Pool {
  const [file, mount] = [join(directory, "pool.img"), join(directory, "pool")];
  mkdirSync(mount);
  writeFileSync(file, "");
  truncateSync(file, 256 * 1024 * 1024);
  execFileSync("mkfs.btrfs", ["--quiet", file]);
  execFileSync("mount", ["-o", "loop", file, mount]);
  const image = subvolume(join(mount, "image"));
  fillImage(image.path);
  return {
    image,
    volume: subvolume(join(mount, "volume")),
    close: () => {
      execFileSync("umount", [mount]);
    },
  };
}

function subvolume(path: string): MountSource {
  execFileSync("btrfs", ["subvolume", "create", path], { stdio: "ignore" });
  const shown = execFileSync("btrfs", ["subvolume", "show", path], { encoding: "utf8" });
  const uuid = /^\s*UUID:\s*(\S+)$/m.exec(shown)?.[1]?.replaceAll("-", "") ?? "";
  return { path, fsType: BTRFS, identity: uuid, guid: uuid };
}

/** Names that useradd(8) refuses and images have, with the uids from 2000 on. */
export const ODD_USERS = ["first.last", "Upper", "machine$", "user@domain", "two words", "müller"];

function fillImage(root: string): void {
  for (const name of TOP) mkdirSync(join(root, name));
  for (const program of PROGRAMS) {
    const libraries = execFileSync("ldd", [program], { encoding: "utf8" }).match(/\/\S+/g) ?? [];
    for (const path of [program, ...libraries]) {
      mkdirSync(join(root, dirname(path)), { recursive: true });
      cpSync(path, join(root, path), { dereference: true });
    }
  }
  const passwd = [
    "root:x:0:0:root:/root:/bin/sh",
    "app:x:1000:1001:App:/home/app:/bin/sh",
    "huge:x:4294967296:0::/:/bin/sh",
    ...ODD_USERS.map((name, index) => `${name}:x:${String(2_000 + index)}:1001::/:/bin/sh`),
  ];
  writeFileSync(join(root, "etc/passwd"), `${passwd.join("\n")}\n`);
  writeFileSync(
    join(root, "etc/group"),
    "root:x:0:\napp:x:1001:\nextra:x:1005:root,app,first.last\n",
  );
}
