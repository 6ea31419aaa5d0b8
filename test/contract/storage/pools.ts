// The pools the contract is checked on: each is made under a directory of its own and leaves nothing behind.

import { createHash, randomBytes } from "node:crypto";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { runCommand } from "../../../src/command.js";
import type { Run } from "../../../src/command.js";
import type { BtrfsDriver } from "../../../src/storage/btrfs.js";
import { createBtrfsDriver } from "../../../src/storage/btrfs.js";
import type { Driver } from "../../../src/storage/driver.js";
import { createZfsDriver } from "../../../src/storage/zfs.js";
import { identifyDataset } from "../../../src/storage/zfs-source.js";
import { packageDirectory } from "../../../src/package.js";
import { createFakeDriver } from "../../fake/storage.js";

const MIB = 1024 * 1024;
const HELPER = join(packageDirectory, "dist", "henge-helper");

export interface Archive {
  readonly path: string;
  readonly digest: string;
}

export interface TestPool {
  readonly driver: Driver;
  /** A root filesystem with /etc/motd, and a file that is no archive. */
  readonly archive: Archive;
  readonly badArchive: Archive;
  /** As an administrator does it: unmounts the embedded pool, exports the ZFS pool. */
  takeAway(): Promise<void>;
  /** What `ensurePool` cannot do by itself. */
  bringBack(): Promise<void>;
  dispose(): Promise<void>;
}

export interface TestBtrfs extends TestPool {
  readonly driver: BtrfsDriver;
  readonly directory: string;
  readonly poolFile: string;
  readonly mountPoint: string;
  /** Another driver of the same pool, as a daemon that was started again. */
  driverWith(run: Run): Driver;
}

export function makeFakePool(): Promise<TestPool> {
  const driver = createFakeDriver();
  driver.badArchives.add("/bad.tar");
  return Promise.resolve({
    driver,
    archive: { path: "/good.tar", digest: "a".repeat(64) },
    badArchive: { path: "/bad.tar", digest: "b".repeat(64) },
    takeAway: () => {
      driver.unmount();
      return Promise.resolve();
    },
    bringBack: () => Promise.resolve(),
    dispose: () => Promise.resolve(),
  });
}

export async function makeBtrfsPool(sizeBytes = 512 * MIB): Promise<TestBtrfs> {
  const directory = await mkdtemp(join(tmpdir(), "henge-btrfs-"));
  const poolFile = join(directory, "pool.btrfs");
  const mountPoint = join(directory, "pool");
  const driverWith = (run: Run) => createBtrfsDriver({ poolFile, mountPoint, sizeBytes, run });
  const driver = driverWith(runCommand);
  return {
    driver,
    ...(await makeArchives(directory)),
    directory,
    poolFile,
    mountPoint,
    driverWith,
    takeAway: () => driver.closePool(),
    bringBack: () => Promise.resolve(),
    dispose: async () => {
      try {
        await driver.closePool();
      } finally {
        // Also when a test failed half-way: a mount that stays keeps its loop device for ever.
        spawnSync("umount", ["--quiet", mountPoint]);
        await rm(directory, { recursive: true, force: true });
      }
    },
  };
}

/** A dataset that is given up to the tests; undefined on a machine that has none. */
export const ZFS_PARENT = findZfsParent();

export interface TestZfs extends TestPool {
  readonly dataset: string;
  readonly directory: string;
  /** Another daemon's driver of the same dataset. */
  driverOf(owner: string): Driver;
}

/** @param parent an existing dataset */
export async function makeZfsPool(parent = ZFS_PARENT ?? ""): Promise<TestZfs> {
  const directory = await mkdtemp(join(tmpdir(), "henge-zfs-"));
  const dataset = `${parent}/t${randomBytes(4).toString("hex")}`;
  const name = parent.split("/")[0] ?? parent;
  const driverOf = (owner: string) =>
    createZfsDriver({
      dataset,
      record: join(directory, `${owner}.guid`),
      owner,
      workshop: join(directory, "workshop"),
      identify: (of, readOnly) => identifyDataset(runCommand, HELPER, of, readOnly),
      run: runCommand,
    });
  return {
    driver: driverOf("tests"),
    driverOf,
    dataset,
    directory,
    ...(await makeArchives(directory)),
    takeAway: async () => {
      await runCommand(["zpool", "export", name]);
    },
    bringBack: async () => {
      await runCommand(["zpool", "import", "-N", name]);
    },
    dispose: async () => {
      await runCommand(["zfs", "destroy", "-r", dataset]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function findZfsParent(): string | undefined {
  const parent = process.env["HENGE_TEST_ZFS"];
  if (parent === undefined || parent === "") return undefined;
  const { status } = spawnSync("zfs", ["list", "-H", "-o", "name", parent], { stdio: "ignore" });
  return status === 0 ? parent : undefined;
}

async function makeArchives(directory: string): Promise<Pick<TestPool, "archive" | "badArchive">> {
  const root = join(directory, "root");
  await mkdir(join(root, "etc"), { recursive: true });
  await writeFile(join(root, "etc/motd"), "hello\n");
  execFileSync("tar", ["-cf", join(directory, "root.tar"), "-C", root, "."]);
  await writeFile(
    join(directory, "bad.tar"),
    "this is no archive, however long one looks at it\n".repeat(100),
  );
  return {
    archive: await archiveAt(join(directory, "root.tar")),
    badArchive: await archiveAt(join(directory, "bad.tar")),
  };
}

export async function archiveAt(path: string): Promise<Archive> {
  return {
    path,
    digest: createHash("sha256")
      .update(await readFile(path))
      .digest("hex"),
  };
}

/** Runs what comes before the first command with this word, and nothing after it: as if the daemon was killed there. */
export function dieAt(word: string): Run {
  let dead = false;
  return async (argv, options) => {
    dead ||= argv.some((part) => part === word || part.endsWith(`/${word}`));
    if (dead) throw new Error("killed");
    return runCommand(argv, options);
  };
}
