import { expect, it } from "vitest";

import { Images } from "../../../src/reconcile/images.js";
import type { ImageName, ImageSpec } from "../../../src/spec/index.js";
import { createFakeDriver } from "../../fake/storage.js";

const app = { name: "app" as ImageName, archive: "/app.tar", digest: "d".repeat(64) };
const forever = (): AbortSignal => AbortSignal.timeout(5_000);

interface Pool {
  readonly pool: Parameters<Images["dropOld"]>[0];
  readonly left: () => Promise<readonly string[]>;
}

/** A pool with the image, and a store in which nothing desires it. */
async function build(
  beforeDestroy: () => Promise<unknown> = () => Promise.resolve(),
): Promise<Pool> {
  const volumes = createFakeDriver();
  await volumes.ensurePool(forever());
  await volumes.importImage(app.name, app.archive, app.digest, forever());
  const store = { list: () => Promise.resolve([]), write: noWrite, remove: noWrite };
  return {
    pool: {
      store,
      volumes: {
        ...volumes,
        destroyImage: async (...words) => {
          await beforeDestroy();
          await volumes.destroyImage(...words);
        },
      },
      warn: (text) => expect.fail(text),
    },
    left: async () => (await volumes.listImages()).map(({ name }) => name),
  };
}

function noWrite(): Promise<void> {
  return Promise.reject(new Error("nothing is written"));
}

it("drops what nothing desires", async () => {
  const { pool, left } = await build();
  await new Images().dropOld(pool, forever());
  expect(await left()).toEqual([]);
});

it("drops nothing that a change beside counts on, until that has ended", async () => {
  const { pool, left } = await build();
  const images = new Images();
  const kept: readonly ImageSpec[] = [app];
  await images.keep(kept, async () => {
    await images.dropOld(pool, forever());
    expect(await left()).toEqual(["app"]);
  });
  await images.dropOld(pool, forever());
  expect(await left()).toEqual([]);
});

it("lets a change look only once what is just being dropped is gone", async () => {
  let destroying = (): void => undefined;
  const begun = new Promise<void>((resolve) => (destroying = resolve));
  const { pool, left } = await build(async () => {
    destroying();
    await new Promise((resolve) => setTimeout(resolve, 20));
  });
  const images = new Images();
  const dropped = images.dropOld(pool, forever());
  await begun;
  await images.keep([app], async () => {
    expect(await left()).toEqual([]);
  });
  await dropped;
});
