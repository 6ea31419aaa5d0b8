import { expect, it } from "vitest";

import { Images } from "../../../src/reconcile/images.js";
import type { Desired, ImageName, ImageSpec } from "../../../src/spec/index.js";
import { createFakeDriver } from "../../fake/storage.js";

const app = { name: "app" as ImageName, archive: "/app.tar", digest: "d".repeat(64) };
const forever = (): AbortSignal => AbortSignal.timeout(5_000);

interface Pool {
  readonly images: Images;
  readonly left: () => Promise<readonly string[]>;
}

interface Options {
  readonly beforeDestroy?: () => Promise<unknown>;
  readonly stored?: readonly Desired[];
}

/** A pool with the image, which nothing desires but what is stored. */
async function build({
  beforeDestroy = () => Promise.resolve(),
  stored = [],
}: Options = {}): Promise<Pool> {
  const { pool, images } = createFakeDriver();
  await pool.ensure(forever());
  await images.import(app.name, app.archive, app.digest, forever());
  const list = () =>
    Promise.resolve(stored.map((desired) => ({ name: desired.spec.name, desired })));
  return {
    images: new Images({
      store: { list, write: noWrite, remove: noWrite },
      images: {
        ...images,
        destroy: async (...words) => {
          await beforeDestroy();
          await images.destroy(...words);
        },
      },
      warn: (text) => expect.fail(text),
    }),
    left: async () => (await images.list()).map(({ name }) => name),
  };
}

function noWrite(): Promise<void> {
  return Promise.reject(new Error("nothing is written"));
}

it("drops what nothing desires", async () => {
  const { images, left } = await build();
  await images.dropOld(forever());
  expect(await left()).toEqual([]);
});

it("drops nothing that a change beside counts on, until that has ended", async () => {
  const { images, left } = await build();
  const kept: readonly ImageSpec[] = [app];
  await images.keep(kept, async () => {
    await images.dropOld(forever());
    expect(await left()).toEqual(["app"]);
  });
  await images.dropOld(forever());
  expect(await left()).toEqual([]);
});

it("lets a change look only once what is just being dropped is gone", async () => {
  let destroying = (): void => undefined;
  const begun = new Promise<void>((resolve) => (destroying = resolve));
  const { images, left } = await build({
    beforeDestroy: async () => {
      destroying();
      await new Promise((resolve) => setTimeout(resolve, 20));
    },
  });
  const dropped = images.dropOld(forever());
  await begun;
  await images.keep([app], async () => {
    expect(await left()).toEqual([]);
  });
  await dropped;
});
