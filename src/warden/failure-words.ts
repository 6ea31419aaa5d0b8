// What a warden's refusal means to whoever wrote the manifest: the field, what is wrong, what to write. A warden sends the
// operation, the errno and what it was about.

import type { ErrorCode } from "../errors.js";

export interface FailureWords {
  readonly message: string;
  /** Where the manifest is at fault, and not the kernel. */
  readonly code?: ErrorCode;
}

const SCRIPT =
  "there is no such program, or its first line names an interpreter that is not there; " +
  "a script with the line ends of Windows looks for one with a carriage return in its name";

/** What Henge itself mounts on in every cell. */
export const EVERY_ROOT = ["/proc", "/sys", "/dev", "/run", "/tmp"];

type Words = Readonly<Partial<Record<string, (path: string) => FailureWords>>>;

const OPERATIONS: Readonly<Partial<Record<string, Words>>> = {
  user: {
    ENOENT: (name) => ({
      message: `cannot run as user ${name}: /etc/passwd of the cell's root has no such name; write one it has, or a number`,
    }),
    EINVAL: (name) => ({
      message: `cannot run as user ${name}: no user has such a name; write one that /etc/passwd of the cell's root has, or a number`,
    }),
    ERANGE: (name) => ({
      message: `cannot run as user ${name}: its line in /etc/passwd of the cell's root is malformed, or its ids are above 65535`,
    }),
  },
  group: {
    ENOENT: (name) => ({
      message: `cannot run in group ${name}: /etc/group of the cell's root has no such name`,
    }),
    ERANGE: (name) => ({
      message: `cannot run in group ${name}: its line in /etc/group of the cell's root is malformed, or its id is above 65535`,
    }),
  },
  exec: {
    ENOENT: (path) => ({ message: `cannot run ${path}: ${SCRIPT}` }),
    ENOTDIR: (path) => ({ message: `cannot run ${path}: a part of the path is not a directory` }),
    EACCES: (path) => ({
      message: `cannot run ${path}: it is not a file this user may execute; chmod a+x it, or name another program`,
    }),
    ENOEXEC: (path) => ({
      message: `cannot run ${path}: it is no program for this processor, or a script whose first line does not begin with #!`,
    }),
  },
  chdir: {
    ENOENT: (path) => ({
      message: `cannot start in cwd ${path}: the cell has no such directory; make it in the image or in a volume`,
    }),
    ENOTDIR: (path) => ({ message: `cannot start in cwd ${path}: it is not a directory` }),
    EACCES: (path) => ({
      message: `cannot start in cwd ${path}: the unit's user may not enter it`,
    }),
  },
  mount: {
    ENOENT: (path) => ({
      message: EVERY_ROOT.includes(path)
        ? `cannot mount on ${path}: the image is no root file system, for it lacks that directory; use docker export (not save), and tar it with -C DIRECTORY .`
        : `cannot mount on ${path}: the cell's root has no such directory, and is read-only; make it in the image, or mount below /run or /tmp`,
      code: "MANIFEST_INVALID",
    }),
    ENOTDIR: (path) => ({
      message: `cannot mount on ${path}: a part of the path is not a directory in the cell's root`,
      code: "MANIFEST_INVALID",
    }),
    ELOOP: (path) => ({
      message: `cannot mount on ${path}: a part of the path is a symbolic link in the cell's root; write the path it leads to`,
      code: "MANIFEST_INVALID",
    }),
  },
  stat: {
    EINVAL: (path) => ({
      message: `cannot show ${path} in the cell: \`files\` takes regular files, and this is none (a directory, a device or a socket)`,
      code: "MANIFEST_INVALID",
    }),
  },
  "env-file": {
    ENOENT: (path) => ({
      message: `cannot read the env file ${path}: the cell has no such file; env-files are paths in the cell`,
    }),
    EACCES: (path) => ({
      message: `cannot read the env file ${path}: permission denied in the cell`,
    }),
    EISDIR: (path) => ({ message: `cannot read the env file ${path}: it is a directory` }),
    EFBIG: (path) => ({ message: `cannot read the env file ${path}: it is larger than 256 KiB` }),
    EINVAL: (path) => ({
      message: `cannot read the env file ${path}: this line is not NAME=VALUE (a name alone, a quote that is not closed, or text after a closing quote)`,
    }),
  },
  setrlimit: {
    EPERM: (path) => ({
      message: `cannot raise ${path} of the unit: it is beyond what this host allows the daemon`,
    }),
  },
};

/** undefined where the words of the errno have to do. */
export function failureWords(op: string, errno: string, path: string): FailureWords | undefined {
  return OPERATIONS[op]?.[errno]?.(path);
}
