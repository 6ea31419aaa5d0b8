// Why an image archive cannot be used, in words: what a file that is no tar archive is, what tar meant, and what was
// unpacked that is no root filesystem. Pure.

import { HengeError } from "../errors.js";
import type { ImageSpec } from "../spec/index.js";

/** What is wrong with an archive, as the end of «images.NAME.archive names FILE: …», and what to do about it. */
export interface Fault {
  readonly why: string;
  readonly hint: string;
}

export type ArchiveRef = Pick<ImageSpec, "name" | "archive">;

export function badArchive({ name, archive }: ArchiveRef, fault: Fault, cause?: unknown) {
  return new HengeError(
    "MANIFEST_INVALID",
    `cannot use image ${name}: images.${name}.archive names ${archive}: ${fault.why}`,
    { cause, hint: fault.hint },
  );
}

/** Why a file could not be opened, by errno. */
export function openFault(errno: string): Fault {
  const words: Readonly<Record<string, string>> = {
    ENOENT: "there is no such file",
    ENOTDIR: "a part of that path is a file, not a directory",
    ELOOP: "it is a link that leads to itself",
    ENAMETOOLONG: "that path is too long",
    EACCES: "it may not be read",
  };
  return {
    why: words[errno] ?? `it cannot be read (${errno})`,
    hint: "make the archive first, or correct the path; one that is not absolute begins at the manifest's directory",
  };
}

const MAKE_ONE = "tar -C DIRECTORY -cf FILE.tar . makes an archive of a root filesystem";

export function typeFault(isDirectory: boolean): Fault {
  return {
    why: isDirectory ? "it is a directory, not an archive" : "it is no regular file",
    hint: MAKE_ONE,
  };
}

const FOREIGN: readonly (readonly [magic: string, what: string])[] = [
  ["PK\x03\x04", "a zip file"],
  ["7z\xbc\xaf\x27\x1c", "a 7z file"],
  ["hsqs", "a squashfs image"],
  ["QFI\xfb", "a disk image (qcow2)"],
  ["\x7fELF", "a program"],
];

/** How many bytes of a file's two ends `endsFault` wants: the header of a plain archive, and the two empty blocks that end it. */
export const END_BYTES = 1024;
const USTAR = { magic: "ustar", offset: 257 } as const;

/**
 * @param head the file's first bytes, fewer where it is shorter
 * @param tail its last ones
 */
export function endsFault(head: Buffer, tail: Buffer): Fault | undefined {
  if (head.length === 0) return { why: "it is empty", hint: MAKE_ONE };
  const text = head.toString("latin1");
  const what = FOREIGN.find(([magic]) => text.startsWith(magic))?.[1];
  if (what !== undefined)
    return { why: `it is ${what}, not a tar archive`, hint: `unpack it; ${MAKE_ONE}` };
  // GNU tar takes an archive for whole that was cut between two members.
  const isPlain = text.startsWith(USTAR.magic, USTAR.offset);
  const isWhole = tail.length === END_BYTES && tail.every((byte) => byte === 0);
  return isPlain && !isWhole ? CUT_SHORT : undefined;
}

const COPY_AGAIN = "make it again, or copy it again and compare its sha256sum with the original's";

const CUT_SHORT: Fault = { why: "it is cut short", hint: COPY_AGAIN };

const TAR_WORDS: readonly (readonly [RegExp, (match: RegExpExecArray) => Fault])[] = [
  [
    /tar: (.+): Member name contains '\.\.'/,
    ([, member = ""]) => ({
      why: `its member ${short(member)} lies outside of the root filesystem`,
      hint: "a member's name may not contain `..`: make the archive inside of the directory, with tar -C DIRECTORY -cf FILE.tar .",
    }),
  ],
  [
    /tar: (.+): Cannot open: Not a directory/,
    ([, member = ""]) => ({
      why: `its member ${short(member)} lies below a link, or below a file`,
      hint: "nothing is unpacked through a link that the archive itself brings: put the file where the link leads",
    }),
  ],
  [
    /tar: (.+): Cannot hard link to (.+): No such file or directory/,
    ([, member = "", target = ""]) => ({
      why: `its member ${short(member)} is a hard link to ${short(target)}, which it does not hold`,
      hint: MAKE_ONE,
    }),
  ],
  [
    /\(child\): (\S+): Cannot exec/,
    ([, tool = ""]) => ({
      why: `it is compressed, and this host has no ${short(tool)}`,
      hint: `install ${short(tool)}, or give the archive uncompressed`,
    }),
  ],
  [
    /invalid compressed data|data is corrupt|checksum|possible.* corrupted/i,
    () => ({ why: "its compressed data is damaged", hint: COPY_AGAIN }),
  ],
  [/Unexpected EOF|unexpected end of|premature end|ends unexpectedly|truncated/i, () => CUT_SHORT],
  [
    /does not look like a tar archive/,
    () => ({ why: "it is not a tar archive, plain or compressed", hint: MAKE_ONE }),
  ],
];

/** What tar meant (LC_ALL=C). */
export function tarFault(stderr: string): Fault {
  for (const [pattern, toFault] of TAR_WORDS) {
    const match = pattern.exec(stderr);
    if (match !== null) return toFault(match);
  }
  const said = stderr.split("\n").find((line) => line !== "" && !line.includes("Removing leading"));
  return { why: `tar cannot unpack it: ${short(said ?? "it does not say why")}`, hint: MAKE_ONE };
}

/** What was unpacked. */
export interface Unpacked {
  /** At its top. */
  readonly names: readonly string[];
  /** Of the directory that is all there is at the top. */
  readonly only?: { readonly name: string; readonly names: readonly string[] };
}

const EXPORT =
  "docker create --name x IMAGE && docker export x > FILE.tar writes an image's root filesystem (podman has the same words)";

export function contentFault({ names, only }: Unpacked): Fault | undefined {
  const has = (name: string): boolean => names.includes(name);
  if (names.length === 0) return { why: "nothing is in it", hint: MAKE_ONE };
  const isOci = has("oci-layout") && has("index.json");
  // Before Docker 25. What a root filesystem has by chance beside one of these makes it a root filesystem.
  const isDocker = has("manifest.json") && !["bin", "etc", "usr", "proc"].some(has);
  if (isOci || isDocker)
    return {
      why: "it is an image in layers, as docker save writes it, not a root filesystem",
      hint: EXPORT,
    };
  if (only?.names.some((name) => ["bin", "etc", "usr"].includes(name)) === true)
    return {
      why: `the root filesystem in it is not at its top, but in the directory ${short(only.name)}`,
      hint: `make it inside of that directory: tar -C ${short(only.name)} -cf FILE.tar .`,
    };
  return undefined;
}

function short(text: string): string {
  const printable = text.replace(/[^\x20-\x7e]/g, "?");
  return printable.length > 200 ? `${printable.slice(0, 200)}…` : printable;
}
