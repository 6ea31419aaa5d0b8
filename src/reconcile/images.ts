// Images nothing desires any more, of any monolith, are dropped from the pool; not those a change beside that counts on.

import type { Desired, ImageSpec } from "../spec/index.js";
import { createMutex } from "../mutex.js";

import { emptyWithoutPool } from "./observe.js";
import type { Ports } from "./ports.js";

type Needed = Pick<Ports, "store" | "images" | "warn">;

export class Images {
  private readonly ports: Needed;
  private readonly kept = new Set<readonly ImageSpec[]>();
  /** The pool was seen to hold none, and nobody has brought one since. */
  private isEmpty = false;
  private readonly mutex = createMutex();

  constructor(ports: Needed) {
    this.ports = ports;
  }

  /** Runs `act`, which may count on whichever of these it sees in the pool. */
  async keep(images: readonly ImageSpec[], act: () => Promise<void>): Promise<void> {
    this.kept.add(images);
    if (images.length > 0) this.isEmpty = false;
    try {
      // Whoever looked before these were kept has ended.
      await this.mutex.run(() => Promise.resolve());
      await act();
    } finally {
      this.kept.delete(images);
    }
  }

  /** What fails here is tried again after the next change. */
  async dropOld(signal: AbortSignal): Promise<void> {
    await this.mutex
      .run(() => this.drop(signal))
      .catch((error: unknown) => {
        this.ports.warn("images that are no longer needed stay", error);
      });
  }

  private async drop(signal: AbortSignal): Promise<void> {
    const { store, images, warn } = this.ports;
    if (this.isEmpty) return;
    const stored = await store.list();
    // A record that cannot be read may need any of them.
    if (stored.some((monolith) => "corrupt" in monolith)) return;
    const desired = stored.flatMap((one) => ("desired" in one ? imagesOf(one.desired) : []));
    const found = await images.list().catch(emptyWithoutPool);
    this.isEmpty = found.length === 0 && [...this.kept].flat().length === 0;
    for (const image of found) {
      const wanted = new Set([...desired, ...[...this.kept].flat()].map(keyOf));
      if (wanted.has(keyOf(image))) continue;
      await images.destroy(image.name, image.digest, signal).catch((error: unknown) => {
        warn(`the image ${image.name} is no longer needed, but stays`, error);
      });
    }
  }
}

function imagesOf({ spec }: Desired): readonly ImageSpec[] {
  return spec.images;
}

function keyOf({ name, digest = "" }: Pick<ImageSpec, "name" | "digest">): string {
  return `${name}@${digest}`;
}
