// Reads, writes and waits for the files of one cgroup directory. It knows no cells.

import { constants, watch } from "node:fs";
import { chmod, mkdir, readFile, readdir, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { HengeError, KernelError, errnoOf } from "../errors.js";

const RETRY_MS = 10;
/** Longest wait between two looks, should an inotify event be lost or no watch be left. */
const LOOK_MS = 500;

/** @throws {KernelError} errno ENOENT: no such cgroup, or the parent has not enabled the controller */
export async function readCgroupFile(directory: string, file: string): Promise<string> {
  const path = join(directory, file);
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new KernelError("read", errnoOf(error), { path, cause: error });
  }
}

/** As `readCgroupFile`, but undefined when the file or the cgroup is not there. */
export async function readCgroupFileIfAny(
  directory: string,
  file: string,
): Promise<string | undefined> {
  try {
    return await readCgroupFile(directory, file);
  } catch (error) {
    // ENODEV: the cgroup was removed between open and read.
    if (error instanceof KernelError && ["ENOENT", "ENODEV"].includes(error.errno))
      return undefined;
    throw error;
  }
}

/** One write(2) of one line. */
export async function writeCgroupFile(
  directory: string,
  file: string,
  text: string,
): Promise<void> {
  const path = join(directory, file);
  try {
    // O_WRONLY without O_CREAT: a misspelt file must fail with ENOENT, not EACCES. The newline makes
    // clearing (an empty text) a write at all.
    await writeFile(path, `${text}\n`, { flag: constants.O_WRONLY });
  } catch (error) {
    throw new KernelError(`write ${JSON.stringify(text)} to`, errnoOf(error), {
      path,
      cause: error,
    });
  }
}

/** Idempotent; the parent exists. */
export async function ensureCgroup(directory: string): Promise<void> {
  try {
    await mkdir(directory);
    // Whatever the umask: a program in a cell looks up its own limits there.
    await chmod(directory, 0o755);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== "EEXIST")
      throw new KernelError("make cgroup", errno, { path: directory, cause: error });
  }
}

/** Names of the cgroups directly below; none when there is no such cgroup. */
export async function listChildren(directory: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENOENT") return [];
    throw new KernelError("list cgroup", errno, { path: directory, cause: error });
  }
}

/**
 * Removes a cgroup and all below it. Idempotent.
 * @throws {HengeError} BUSY: at `deadlineMs` (of performance.now) processes are still in it
 */
export async function removeCgroup(directory: string, deadlineMs: number): Promise<void> {
  for (const child of await listChildren(directory)) {
    await removeCgroup(join(directory, child), deadlineMs);
  }
  for (;;) {
    const errno = await tryRmdir(directory);
    if (errno === undefined || errno === "ENOENT") return;
    if (errno !== "EBUSY") throw new KernelError("remove cgroup", errno, { path: directory });
    // A killed process leaves its cgroup a moment after it is gone from cgroup.procs.
    if (performance.now() >= deadlineMs) throw await stillBusy(directory);
    await delay(RETRY_MS);
  }
}

/** @returns the errno of rmdir(2); undefined when it is removed */
export async function tryRmdir(directory: string): Promise<string | undefined> {
  try {
    await rmdir(directory);
    return undefined;
  } catch (error) {
    return errnoOf(error);
  }
}

async function stillBusy(directory: string): Promise<HengeError> {
  const pids = (await readCgroupFileIfAny(directory, "cgroup.procs"))
    ?.trim()
    .split("\n")
    .join(", ");
  return new HengeError(
    "BUSY",
    `cannot remove cgroup ${directory}: processes ${pids ?? "?"} are in it`,
    {
      hint: "Stop or free the cell first; a process in state D of ps ends only when its I/O does.",
    },
  );
}

/** The value of one key of a cgroup's `cgroup.events`; undefined when there is no such cgroup. */
export async function readEvent(directory: string, key: string): Promise<string | undefined> {
  const text = await readCgroupFileIfAny(directory, "cgroup.events");
  const line = text?.split("\n").find((candidate) => candidate.startsWith(`${key} `));
  return line?.slice(key.length + 1);
}

/**
 * Waits until `cgroup.events` says `key value`, or the cgroup is gone.
 * @throws {HengeError} DEADLINE: the signal was aborted first
 */
export async function awaitEvent(
  directory: string,
  key: "populated" | "frozen",
  value: "0" | "1",
  signal: AbortSignal,
): Promise<void> {
  const changes = watchChanges(join(directory, "cgroup.events"), signal);
  try {
    for (;;) {
      // Armed before the look, so that no change falls between the two.
      const change = changes.next();
      const seen = await readEvent(directory, key);
      if (seen === undefined || seen === value) return;
      if (signal.aborted) throw notInTime(directory, `${key} ${value}`, signal);
      await change;
    }
  } finally {
    changes.close();
  }
}

interface Changes {
  /** Resolves, never rejects, when the file may have changed or the signal is aborted. */
  next(): Promise<void>;
  close(): void;
}

function watchChanges(path: string, signal: AbortSignal): Changes {
  let wake = (): void => undefined;
  const notify = (): void => {
    wake();
  };
  const watcher = tryWatch(path, notify);
  const timer = setInterval(notify, LOOK_MS);
  signal.addEventListener("abort", notify);
  return {
    next: () =>
      new Promise((resolve) => {
        wake = resolve;
      }),
    close: () => {
      watcher?.close();
      clearInterval(timer);
      signal.removeEventListener("abort", notify);
    },
  };
}

function tryWatch(path: string, notify: () => void): { close(): void } | undefined {
  try {
    return watch(path, notify).on("error", notify);
  } catch {
    // No cgroup, or no inotify watch left: the regular looks find either out.
    return undefined;
  }
}

function notInTime(directory: string, wanted: string, signal: AbortSignal): HengeError {
  const text = `cannot wait any longer for «${wanted}» of cgroup ${directory}`;
  return new HengeError("DEADLINE", text, { cause: signal.reason });
}
