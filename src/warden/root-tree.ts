// Looks into a root filesystem as the kernel will walk it for the cell: every link leads on inside it, nothing is followed out
// of it. Only reads names, and the first bytes of files.

import { constants } from "node:fs";
import type { Stats } from "node:fs";
import { lstat, open, readlink } from "node:fs/promises";
import { join } from "node:path";

import { KernelError, errnoOf } from "../errors.js";

/** MAXSYMLINKS of Linux; path_resolution(7). */
const LINKS_MAX = 40;

export type Found =
  /** Something is mounted on a part of the path: what it holds is not the root's. */
  | { readonly kind: "covered" }
  | {
      readonly kind: "ENOENT";
      /** Of the last directory that is there. */
      readonly mode: number;
    }
  | { readonly kind: "ENOTDIR" | "ELOOP" }
  | {
      readonly kind: "file" | "directory" | "other";
      /** Without links, below the root. */
      readonly path: string;
      readonly mode: number;
    };

export class RootTree {
  private readonly root: string;
  private readonly covered: ReadonlySet<string>;
  /** What was seen: most paths of a cell share their first directories. */
  private readonly seen = new Map<string, Promise<Stats | undefined>>();

  /**
   * @param root absolute path of the directory
   * @param covered absolute paths in it on which something is mounted, without links
   */
  constructor(root: string, covered: readonly string[]) {
    this.root = root;
    this.covered = new Set(covered);
  }

  /**
   * @param path absolute, in the root
   * @param links `refuse`: a link on the way counts as ELOOP
   * @throws {KernelError} it cannot be looked at
   */
  find(path: string, links: "follow" | "refuse" = "follow"): Promise<Found> {
    return this.walk([], partsOf(path), links === "follow" ? LINKS_MAX : 0);
  }

  /** @param at where it is, without links; `left`: what is still to go */
  private async walk(
    at: readonly string[],
    left: readonly string[],
    linksLeft: number,
  ): Promise<Found> {
    const here = await this.look(at);
    const [name, ...rest] = left;
    if (here === undefined) return { kind: "ENOENT", mode: 0 };
    if (name === undefined) return { kind: kindOf(here), path: pathOf(at), mode: here.mode };
    if (!here.isDirectory()) return { kind: "ENOTDIR" };
    if (name === "..") return this.walk(at.slice(0, -1), rest, linksLeft);
    const next = [...at, name];
    if (this.covered.has(pathOf(next))) return { kind: "covered" };
    const seen = await this.look(next);
    if (seen === undefined) return { kind: "ENOENT", mode: here.mode };
    if (!seen.isSymbolicLink()) return this.walk(next, rest, linksLeft);
    if (linksLeft === 0) return { kind: "ELOOP" };
    const target = await readlink(join(this.root, pathOf(next)));
    const from = target.startsWith("/") ? [] : at;
    return this.walk(from, [...partsOf(target), ...rest], linksLeft - 1);
  }

  /**
   * The bytes of a file that `find` has found, at most `maxBytes` of them.
   * @throws {KernelError} it cannot be read
   */
  async read(path: string, maxBytes: number): Promise<Buffer> {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    try {
      const file = await open(join(this.root, path), flags);
      try {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(maxBytes), 0, maxBytes, 0);
        return buffer.subarray(0, bytesRead);
      } finally {
        await file.close();
      }
    } catch (error) {
      throw new KernelError("read", errnoOf(error), { cause: error, path });
    }
  }

  private look(at: readonly string[]): Promise<Stats | undefined> {
    const path = pathOf(at);
    const found = this.seen.get(path) ?? lookAt(this.root, path);
    this.seen.set(path, found);
    return found;
  }
}

async function lookAt(root: string, path: string): Promise<Stats | undefined> {
  try {
    return await lstat(join(root, path));
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw new KernelError("stat", errnoOf(error), { cause: error, path });
  }
}

function kindOf(stats: Stats): "file" | "directory" | "other" {
  if (stats.isFile()) return "file";
  return stats.isDirectory() ? "directory" : "other";
}

function pathOf(parts: readonly string[]): string {
  return `/${parts.join("/")}`;
}

function partsOf(path: string): readonly string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}
