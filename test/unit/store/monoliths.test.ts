import { readFile, writeFile } from "node:fs/promises";
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

it("reads each record once, and anew what could not be read or was written since", async () => {
  const directory = await temporaryDirectory();
  const shop = { spec: monolith([cell("shop")]), stopped: [] };
  const store = await openMonoliths(directory);
  await store.write(shop);
  const first = await store.list();
  expect(await store.list()).toBe(first);
  await store.write({ ...shop, stopped: ["shop:web"] });
  expect(await store.list()).toEqual([
    { name: "shop", desired: { ...shop, stopped: ["shop:web"] } },
  ]);
  const record = await readFile(join(directory, "shop.json"), "utf8");
  const next = await openMonoliths(directory);
  await writeFile(join(directory, "shop.json"), "cut");
  expect((await next.list())[0]).toHaveProperty("corrupt");
  await writeFile(join(directory, "shop.json"), record);
  expect((await next.list())[0]).toHaveProperty("desired");
});
