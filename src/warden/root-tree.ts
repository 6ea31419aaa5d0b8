// Walks a root filesystem as the kernel will walk it for the cell: every link leads on inside it, nothing is followed out of it.

import type { RootFile, RootFiles } from "../root-files.js";

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
  private readonly files: RootFiles;
  private readonly covered: ReadonlySet<string>;
  /** What was seen: most paths of a cell share their first directories. */
  private readonly seen = new Map<string, Promise<RootFile | undefined>>();

  /** @param covered absolute paths in it on which something is mounted, without links */
  constructor(files: RootFiles, covered: readonly string[]) {
    this.files = files;
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

  /** At most `maxBytes` of the beginning of a file that `find` has found. */
  read(path: string, maxBytes: number): Promise<Buffer> {
    return this.files.read(path, maxBytes);
  }

  /** @param at where it is, without links; `left`: what is still to go */
  private async walk(
    at: readonly string[],
    left: readonly string[],
    linksLeft: number,
  ): Promise<Found> {
    const here = await this.look(at);
    const [name, ...rest] = left;
    if (here === undefined || here.kind === "link") return { kind: "ENOENT", mode: 0 };
    if (name === undefined) return { kind: here.kind, path: pathOf(at), mode: here.mode };
    if (here.kind !== "directory") return { kind: "ENOTDIR" };
    if (name === "..") return this.walk(at.slice(0, -1), rest, linksLeft);
    const next = [...at, name];
    if (this.covered.has(pathOf(next))) return { kind: "covered" };
    const seen = await this.look(next);
    if (seen === undefined) return { kind: "ENOENT", mode: here.mode };
    if (seen.target === undefined) return this.walk(next, rest, linksLeft);
    if (linksLeft === 0) return { kind: "ELOOP" };
    const from = seen.target.startsWith("/") ? [] : at;
    return this.walk(from, [...partsOf(seen.target), ...rest], linksLeft - 1);
  }

  private look(at: readonly string[]): Promise<RootFile | undefined> {
    const path = pathOf(at);
    const found = this.seen.get(path) ?? this.files.look(path);
    this.seen.set(path, found);
    return found;
  }
}

function pathOf(parts: readonly string[]): string {
  return `/${parts.join("/")}`;
}

function partsOf(path: string): readonly string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}
