// Mounts the embedded pool's file through a loop device, and never takes another mount for it. What the kernel shows in
// /proc and /sys is read there: a pool that is mounted costs no tool.

import { chmod, mkdir, readFile, readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { CommandError, HengeError, KernelError, errnoOf } from "../errors.js";
import type { Run } from "../command.js";

import { readMountAt } from "./mounts.js";

const MOUNT_DEADLINE_MS = 60_000;
// nosuid and nodev: a setuid file or device node a cell leaves on its volume must be worth nothing on the host.
const MOUNT_OPTIONS = "loop,noatime,nosuid,nodev";
const BLOCK_DEVICES = "/sys/block";

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
  const isMounted = (await readMountAt(at.mountPoint)) !== undefined;
  if (!isMounted)
    await run(
      ["mount", "--types", "btrfs", "--options", MOUNT_OPTIONS, at.poolFile, at.mountPoint],
      { timeoutMs: MOUNT_DEADLINE_MS, signal },
    );
  const device = await checkMounted(at, uuid);
  // Without it every page is cached twice. A host file system that cannot do it refuses: the pool works all the same.
  if (!isMounted) await run(["losetup", "--direct-io=on", `/dev/${device}`]).catch(() => undefined);
  await chmod(at.mountPoint, 0o700);
}

/**
 * Returns the loop device when the mount is this pool: its file by device and inode, its file system by UUID.
 * @throws {HengeError} WRONG_STATE: it is not mounted, or something else is
 */
export async function checkMounted(at: LoopMount, uuid: string): Promise<string> {
  const mount = await readMountAt(at.mountPoint);
  if (mount === undefined)
    throw new HengeError(
      "WRONG_STATE",
      `cannot use the pool at ${at.mountPoint}: it is not mounted`,
    );
  if (mount.type !== "btrfs" || mount.root !== "/") throw foreignMount(at);
  const device = basename(mount.source);
  if (!(await isBehind(device, at.poolFile)) || !(await isDeviceOf(uuid, device)))
    throw foreignMount(at);
  return device;
}

/**
 * Unmounts the pool and detaches what loop device is left of it. Idempotent.
 * @throws {HengeError} BUSY: something of it is in use
 */
export async function closeMount(run: Run, at: LoopMount, uuid: string): Promise<void> {
  if ((await readMountAt(at.mountPoint)) !== undefined) {
    await checkMounted(at, uuid);
    await unmount(run, at.mountPoint);
  }
  for (const device of await readdir(BLOCK_DEVICES)) await detach(run, device, at.poolFile);
}

/** mount(8) makes devices that detach themselves, a moment after the unmount; one that an administrator made does not. */
async function detach(run: Run, device: string, poolFile: string): Promise<void> {
  if (!(await isBehind(device, poolFile))) return;
  try {
    await run(["losetup", "--detach", `/dev/${device}`]);
  } catch (error) {
    if (await isBehind(device, poolFile)) throw error;
  }
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

/** Whether the loop device reads `poolFile` itself, whatever it was called when the device was made. */
async function isBehind(device: string, poolFile: string): Promise<boolean> {
  // Ends with « (deleted)» when the file is; then nothing of that name is there.
  const shown = await readIfThere(join(BLOCK_DEVICES, device, "loop/backing_file"));
  if (shown === undefined) return false;
  const file = await statFile(poolFile);
  const backing = await stat(shown.replace(/\n$/, ""), { bigint: true }).catch(() => undefined);
  return backing?.ino === file.ino && backing.dev === file.dev;
}

async function statFile(path: string) {
  return stat(path, { bigint: true }).catch((error: unknown) => {
    throw new KernelError("stat", errnoOf(error), { cause: error, path });
  });
}

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}

/** Since Linux 6.1 the kernel shows whether it counts what subvolumes hold. */
export async function countsQuotas(uuid: string): Promise<boolean> {
  return (await readIfThere(`/sys/fs/btrfs/${uuid}/qgroups/enabled`))?.trim() === "1";
}

async function isDeviceOf(uuid: string, device: string): Promise<boolean> {
  return stat(`/sys/fs/btrfs/${uuid}/devices/${device}`).then(
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
