import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import { openMonoliths } from "../../../src/store/monoliths.js";
import { temporaryDirectory } from "../../fixture/directory.js";
import { cell, monolith } from "../../fixture/index.js";

it("keeps one record for each monolith", async () => {
  const store = await openMonoliths(await temporaryDirectory());
  const shop = { spec: monolith([cell("shop")]), stopped: ["shop:web"] };
  const blog = { spec: monolith([cell("blog")]), stopped: [] };
  await store.write(shop);
  await store.write(blog);
  expect(await store.list()).toEqual([
    { name: "blog", desired: blog },
    { name: "shop", desired: shop },
  ]);
  await store.remove(shop.spec.name);
  expect(await store.list()).toEqual([{ name: "blog", desired: blog }]);
});

it("tells a record it cannot read by the monolith's name, and reads the others", async () => {
  const directory = await temporaryDirectory();
  const store = await openMonoliths(directory);
  const blog = { spec: monolith([cell("blog")]), stopped: [] };
  await store.write(blog);
  await writeFile(join(directory, "shop.json"), '{"format":1,');
  const [first, second] = await store.list();
  expect(first).toEqual({ name: "blog", desired: blog });
  expect(second).toMatchObject({
    name: "shop",
    corrupt: expect.stringContaining("it is not whole") as string,
  });
});
