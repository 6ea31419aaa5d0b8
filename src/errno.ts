// What the kernel's error numbers mean, in words. The name is said too: it is what a search engine knows.

const WORDS: Readonly<Partial<Record<string, string>>> = {
  E2BIG: "the arguments and the environment are too long together",
  EACCES: "permission denied",
  EADDRINUSE: "another socket has this address already",
  EADDRNOTAVAIL: "this host has no such address",
  EAGAIN: "there is not enough of it at the moment",
  EBUSY: "something uses it",
  ECONNREFUSED: "nobody listens there",
  ECONNRESET: "the other side has closed the connection",
  EDQUOT: "the quota is used up",
  EEXIST: "it is there already",
  EINVAL: "the kernel does not take this value",
  EIO: "the device failed to read or write",
  EISDIR: "it is a directory",
  ELOOP: "a part of the path is a symbolic link",
  EMFILE: "this process has too many open files",
  EMSGSIZE: "the message is too long",
  ENAMETOOLONG: "the name is too long",
  ENFILE: "this host has too many open files",
  ENODEV: "there is no such device",
  ENOENT: "there is no such file or directory",
  ENOEXEC: "it is no program this kernel can run",
  ENOMEM: "there is not enough memory",
  ENOSPC: "there is no space left",
  ENOSYS: "this kernel does not have it",
  ENOTDIR: "a part of the path is not a directory",
  ENOTEMPTY: "the directory is not empty",
  ENOTSOCK: "it is not a socket",
  EOPNOTSUPP: "this is not supported there",
  EPERM: "this is not permitted",
  EPIPE: "the other side is gone",
  ERANGE: "a line or a number is too long",
  EROFS: "the file system is read-only",
  ESRCH: "there is no such process",
  ESTALE: "it is another one than was meant",
  ETIMEDOUT: "there was no answer in time",
  ETXTBSY: "the program is being written to",
  EXDEV: "it is on another file system",
};

/** e.g. `permission denied (EACCES)`; the name alone where there are no words for it. */
export function describeErrno(errno: string): string {
  const words = WORDS[errno];
  return words === undefined ? errno : `${words} (${errno})`;
}
