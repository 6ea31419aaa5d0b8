// What an image's archive holds, without unpacking it: so that a plan can look into an image that is not in the pool yet.

import { Writable } from "node:stream";
import { StringDecoder } from "node:string_decoder";

import { streamCommand } from "../command-stream.js";
import { CommandError } from "../errors.js";
import type { RootFile, RootFiles } from "../root-files.js";

import { badArchive, contentFault, tarFault } from "./bad-archive.js";
import type { ArchiveRef } from "./bad-archive.js";

const TAR = "/usr/bin/tar";
const IMPLIED: RootFile = { kind: "directory", mode: 0o755 };
/** tar(1), `--list --verbose --numeric-owner`: type and permissions, owners, size or device, date, time, name. */
const LINE = /^(.)(\S{9})\S* \S+ +\S+ \S+ \S+ (.*)$/;

interface Member extends RootFile {
  /** As tar tells it. */
  readonly name: string;
  /** The member it is another name of. */
  readonly hardLink?: string;
}

/**
 * @param ref the archive of a root filesystem, plain or compressed
 * @throws {HengeError} MANIFEST_INVALID: tar cannot read it, or it holds no root filesystem
 */
export async function readArchiveFiles(ref: ArchiveRef, signal: AbortSignal): Promise<RootFiles> {
  const members = await listMembers(ref, signal);
  const tops = topsOf(members.keys());
  const fault = contentFault({
    names: tops,
    ...(tops.length === 1 && tops[0] !== undefined
      ? { only: { name: tops[0], names: topsOf(members.keys(), `/${tops[0]}`) } }
      : {}),
  });
  if (fault !== undefined) throw badArchive(ref, fault);
  const implied = new Set([...members.keys()].flatMap(parentsOf));
  return {
    look: (path) => Promise.resolve(members.get(path) ?? (implied.has(path) ? IMPLIED : undefined)),
    async read(path, maxBytes) {
      const head = new Head(maxBytes);
      const name = members.get(path)?.name ?? path;
      await runTar(ref, ["--extract", "--to-stdout", "--occurrence=1"], [name], head, signal);
      return head.bytes();
    },
  };
}

async function listMembers(
  ref: ArchiveRef,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Member>> {
  const members = new Map<string, Member>();
  const lines = new Lines((line) => {
    const member = parseMember(line);
    if (member !== undefined) members.set(pathOf(member.name), member);
  });
  const options = ["--list", "--verbose", "--numeric-owner", "--quoting-style=escape"];
  await runTar(ref, options, [], lines, signal);
  for (const [path, { hardLink }] of members) {
    const file = hardLink === undefined ? undefined : members.get(pathOf(hardLink));
    if (file !== undefined) members.set(path, file);
  }
  return members;
}

async function runTar(
  ref: ArchiveRef,
  options: readonly string[],
  members: readonly string[],
  output: Writable,
  signal: AbortSignal,
): Promise<void> {
  const file = [`--file=${ref.archive}`, "--force-local", "--"];
  try {
    await streamCommand([TAR, ...options, ...file, ...members], { output, signal });
  } catch (error) {
    if (!(error instanceof CommandError) || error.exit !== 2) throw error;
    throw badArchive(ref, tarFault(error.stderr), error);
  }
}

/** undefined of a line that is no member. */
function parseMember(line: string): Member | undefined {
  const [, type = "", permissions = "", rest = ""] = LINE.exec(line) ?? [];
  if (type === "") return undefined;
  const mode = parsePermissions(permissions);
  const [name = "", target] = splitOnce(rest, type === "h" ? " link to " : " -> ");
  switch (type) {
    case "d":
      return { kind: "directory", mode, name: rest };
    case "l":
      return { kind: "link", mode, name, target: unescape(target ?? "") };
    case "h":
      return { kind: "file", mode, name, hardLink: target ?? "" };
    case "-":
      return { kind: "file", mode, name: rest };
    default:
      return { kind: "other", mode, name: rest };
  }
}

/** e.g. `rwxr-sr-t`. */
function parsePermissions(text: string): number {
  return parseInt(text.replace(/[rwxst]/g, "1").replace(/[^1]/g, "0"), 2);
}

function splitOnce(text: string, by: string): readonly string[] {
  const at = text.indexOf(by);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + by.length)];
}

/** Where tar unpacks a member. */
function pathOf(name: string): string {
  const parts = unescape(name).split("/");
  return `/${parts.filter((part) => part !== "" && part !== ".").join("/")}`;
}

/** What the quoting style `escape` has made of unusual letters. */
function unescape(text: string): string {
  const letters: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r" };
  const octal = text.replace(/\\([0-7]{3}|.)/g, (_, code: string) =>
    code.length === 3 ? String.fromCharCode(parseInt(code, 8)) : (letters[code] ?? code),
  );
  return /\\[0-7]{3}/.test(text) ? Buffer.from(octal, "latin1").toString("utf8") : octal;
}

function parentsOf(path: string): readonly string[] {
  const parts = path.split("/").slice(1, -1);
  return ["/", ...parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`)];
}

/** The names directly below a directory. */
function topsOf(paths: Iterable<string>, below = ""): readonly string[] {
  const within = [...paths].filter((path) => path.startsWith(`${below}/`));
  const names = within.map((path) => path.slice(below.length + 1).split("/")[0] ?? "");
  return [...new Set(names)].filter((name) => name !== "");
}

/** Tells each line it is given. */
class Lines extends Writable {
  private readonly tell: (line: string) => void;
  private readonly decoder = new StringDecoder("utf8");
  private rest = "";

  constructor(tell: (line: string) => void) {
    super();
    this.tell = tell;
  }

  override _write(piece: Buffer, _encoding: string, done: () => void): void {
    const lines = (this.rest + this.decoder.write(piece)).split("\n");
    this.rest = lines.pop() ?? "";
    lines.forEach(this.tell);
    done();
  }
}

/** Keeps the first bytes it is given. */
class Head extends Writable {
  private readonly pieces: Buffer[] = [];
  private left: number;

  constructor(maxBytes: number) {
    super();
    this.left = maxBytes;
  }

  override _write(piece: Buffer, _encoding: string, done: () => void): void {
    if (this.left > 0) this.pieces.push(piece.subarray(0, this.left));
    this.left -= piece.length;
    done();
  }

  bytes(): Buffer {
    return Buffer.concat(this.pieces);
  }
}
