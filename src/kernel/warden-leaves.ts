// The leaves wardens live in, and their end: a warden outlives its cell by a moment, which nobody waits for.

import { join } from "node:path";

import { KernelError } from "../errors.js";
import { fileNameOf, isCellName } from "../spec/index.js";
import type { CellName } from "../spec/index.js";
import { awaitEvent, ensureCgroup, listChildren, removeCgroup, tryRmdir } from "./cgroup-file.js";
import { WARDENS } from "./subtree.js";

/** A warden that has not ended by then hangs in the kernel. Its leaf is left to the next daemon. */
const ENDING_MS = 60_000;
const REMOVE_MS = 5_000;

interface Leaving {
  readonly abort: AbortController;
  /** Never rejects. */
  readonly done: Promise<void>;
}

export class WardenLeaves {
  readonly #directory: string;
  readonly #leaving = new Map<CellName, Leaving>();

  constructor(subtree: string) {
    this.#directory = join(subtree, WARDENS);
  }

  /** Absolute directory of the leaf; made when missing. A warden of a cell just freed may still be ending in it. */
  async ensure(cell: CellName): Promise<string> {
    const leaving = this.#leaving.get(cell);
    leaving?.abort.abort();
    await leaving?.done;
    const leaf = this.#leafOf(cell);
    await ensureCgroup(leaf);
    return leaf;
  }

  /** Removes the leaf, or has it removed as soon as it is empty: it counts as gone, and nobody waits for it. Idempotent. */
  async release(cell: CellName): Promise<void> {
    const errno = await tryRmdir(this.#leafOf(cell));
    if (errno === undefined || errno === "ENOENT" || this.#leaving.has(cell)) return;
    if (errno !== "EBUSY")
      throw new KernelError("remove cgroup", errno, { path: this.#leafOf(cell) });
    const abort = new AbortController();
    const done = this.#remove(cell, abort.signal).then(() => {
      this.#leaving.delete(cell);
    });
    this.#leaving.set(cell, { abort, done });
  }

  /** Cells that have a leaf, parents before children. */
  async list(): Promise<readonly CellName[]> {
    const names = await listChildren(this.#directory);
    // A name sorts before every longer one that begins with it: parents come first.
    return names
      .map((name) => name.replaceAll(".", "/"))
      .filter(isCellName)
      .filter((cell) => !this.#leaving.has(cell))
      .sort();
  }

  async #remove(cell: CellName, signal: AbortSignal): Promise<void> {
    const leaf = this.#leafOf(cell);
    const limit = AbortSignal.any([signal, AbortSignal.timeout(ENDING_MS)]);
    try {
      await awaitEvent(leaf, "populated", "0", limit);
      if (!signal.aborted) await removeCgroup(leaf, performance.now() + REMOVE_MS);
    } catch {
      // The cell was allocated anew, or the warden hangs: either way the leaf is found again by its name.
    }
  }

  #leafOf(cell: CellName): string {
    return join(this.#directory, fileNameOf(cell));
  }
}
