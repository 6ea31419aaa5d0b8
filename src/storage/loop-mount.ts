// Mounts the embedded pool's file through a loop device, and never takes another mount for it.

import { chmod, mkdir, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";

import { CommandError, HengeError } from "../errors.js";
import type { Run } from "../command.js";

import { parseLoopFiles } from "./btrfs-parse.js";
import type { LoopFile } from "./btrfs-parse.js";
import { readMountAt } from "./mounts.js";
import { readFileIdentity } from "./pool-file.js";

const MOUNT_DEADLINE_MS = 60_000;
// nosuid and nodev: a setuid file or device node a cell leaves on its volume must be worth nothing on the host.
const MOUNT_OPTIONS = "loop,noatime,nosuid,nodev";

export interface LoopMount {
  readonly poolFile: string;
  /** Absolute, without symbolic links. */
  readonly mountPoint: string;
}

/**
 * Mounts the pool unless it is mounted already.
 * @throws {HengeError} WRONG_STATE: something else is mounted there
 */
export async function ensureMounted(
  run: Run,
  at: LoopMount,
  uuid: string,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(dirname(at.mountPoint), { recursive: true, mode: 0o700 });
  await mkdir(at.mountPoint, { recursive: true, mode: 0o700 });
  if ((await readMountAt(at.mountPoint)) === undefined) {
    await run(
      ["mount", "--types", "btrfs", "--options", MOUNT_OPTIONS, at.poolFile, at.mountPoint],
      {
        timeoutMs: MOUNT_DEADLINE_MS,
        signal,
      },
    );
  }
  const loop = await checkMounted(run, at, uuid);
  // Without it every page is cached twice. A host file system that cannot do it refuses: the pool works all the same.
  if (!loop.directIo) await run(["losetup", "--direct-io=on", loop.device]).catch(() => undefined);
  await chmod(at.mountPoint, 0o700);
}

/**
 * Returns the loop device when the mount is this pool: its file by device and inode, its file system by UUID.
 * @throws {HengeError} WRONG_STATE: it is not mounted, or something else is
 */
export async function checkMounted(run: Run, at: LoopMount, uuid: string): Promise<LoopFile> {
  const mount = await readMountAt(at.mountPoint);
  if (mount === undefined)
    throw new HengeError(
      "WRONG_STATE",
      `cannot use the pool at ${at.mountPoint}: it is not mounted`,
    );
  if (mount.type !== "btrfs" || mount.root !== "/") throw foreignMount(at);
  const loop = (await listLoops(run, at.poolFile)).find(({ device }) => device === mount.source);
  if (loop === undefined || !(await isDeviceOf(uuid, loop.device))) throw foreignMount(at);
  return loop;
}

/**
 * Unmounts the pool and detaches what loop device is left of it. Idempotent.
 * @throws {HengeError} BUSY: something of it is in use
 */
export async function closeMount(run: Run, at: LoopMount, uuid: string): Promise<void> {
  if ((await readMountAt(at.mountPoint)) !== undefined) {
    await checkMounted(run, at, uuid);
    await unmount(run, at.mountPoint);
  }
  // mount(8) makes devices that detach themselves; one that an administrator made does not.
  for (const { device } of await listLoops(run, at.poolFile))
    await run(["losetup", "--detach", device]);
}

async function unmount(run: Run, mountPoint: string): Promise<void> {
  try {
    await run(["umount", mountPoint], { timeoutMs: MOUNT_DEADLINE_MS });
  } catch (error) {
    if (!(error instanceof CommandError) || !error.stderr.includes("busy")) throw error;
    throw new HengeError("BUSY", `cannot unmount the pool at ${mountPoint}: it is in use`, {
      cause: error,
    });
  }
}

/** Loop devices whose file is `poolFile` itself, whatever it was called when they were made. */
async function listLoops(run: Run, poolFile: string): Promise<readonly LoopFile[]> {
  const { inode, fileSystem } = await readFileIdentity(poolFile);
  const all = parseLoopFiles(
    await run(["losetup", "--json", "--output", "NAME,BACK-INO,BACK-MAJ:MIN,DIO"]),
  );
  return all.filter((loop) => loop.inode === inode && loop.fileSystem === fileSystem);
}

async function isDeviceOf(uuid: string, device: string): Promise<boolean> {
  return stat(`/sys/fs/btrfs/${uuid}/devices/${basename(device)}`).then(
    () => true,
    () => false,
  );
}

function foreignMount({ mountPoint }: LoopMount): HengeError {
  return new HengeError(
    "WRONG_STATE",
    `cannot use the pool at ${mountPoint}: another file system is mounted there`,
    {
      hint: `unmount it: umount ${mountPoint}`,
    },
  );
}
