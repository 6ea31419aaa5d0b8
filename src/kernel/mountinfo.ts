// Reads /proc/PID/mountinfo and /proc/PID/cgroup text. Pure: it opens nothing.

export interface Mount {
  /** Directory within the file system that is mounted, `/` for all of it. */
  readonly root: string;
  readonly mountPoint: string;
  readonly fsType: string;
  /** Options of the superblock, e.g. a v1 hierarchy's controllers. */
  readonly superOptions: readonly string[];
}

const UNIFIED = "/sys/fs/cgroup";
const V1_CONTROLLERS = new Set(["cpu", "cpuacct", "cpuset", "memory", "blkio", "pids", "devices"]);

/** Lines that are no mount are left out. @see proc_pid_mountinfo(5) */
export function parseMountInfo(text: string): readonly Mount[] {
  return text.split("\n").flatMap((line) => parseMount(line) ?? []);
}

function parseMount(line: string): Mount | undefined {
  // The optional fields before the lone dash vary in number.
  const [head, tail] = line.split(" - ", 2);
  const [, , , root, mountPoint] = (head ?? "").split(" ");
  if (root === undefined || mountPoint === undefined || tail === undefined) return undefined;
  const [fsType = "", , superOptions = ""] = tail.split(" ");
  return {
    root: unescapeOctal(root),
    mountPoint: unescapeOctal(mountPoint),
    fsType,
    superOptions: superOptions.split(",").filter((option) => option !== ""),
  };
}

/** The kernel writes space, tab, newline and backslash as three octal digits. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** The cgroup2 mount at /sys/fs/cgroup, or else the first: on a hybrid host it is somewhere else. */
export function findCgroup2(mounts: readonly Mount[]): Mount | undefined {
  const candidates = mounts.filter((mount) => mount.fsType === "cgroup2");
  return candidates.find((mount) => mount.mountPoint === UNIFIED) ?? candidates[0];
}

/** Controllers that a cgroup v1 hierarchy holds, which v2 therefore cannot offer. */
export function controllersOfV1(mounts: readonly Mount[]): readonly string[] {
  const options = mounts
    .filter((mount) => mount.fsType === "cgroup")
    .flatMap((m) => m.superOptions);
  return [...new Set(options.filter((option) => V1_CONTROLLERS.has(option)))].sort();
}
