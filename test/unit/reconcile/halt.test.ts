import { rm } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import { openHaltMark } from "../../../src/store/halt-mark.js";
import { temporaryDirectory } from "../../fixture/directory.js";
import { House } from "../../fixture/house.js";
import { SHOP, cell, forever, settle, silent, states } from "../../fixture/shop.js";

const DOWN = { shop: "absent", "shop/db": "absent", "shop/web": "absent" };

async function halted() {
  const house = await House.build();
  const daemon = await house.daemon();
  await house.up(daemon, SHOP);
  house.journal();
  await daemon.halt(house.request(), silent, forever());
  return { house, daemon };
}

it("stops units in order and frees their cells, and all stays desired", async () => {
  const { house, daemon } = await halted();
  expect(house.journal()).toEqual([
    "stop shop/web:web",
    "stop shop/db:db",
    "free shop/web",
    "free shop/db",
    "free shop",
  ]);
  expect(await states(daemon)).toMatchObject(DOWN);
  await daemon.resume(house.request());
  await settle(async () => (await states(daemon))["shop/web:web"] === "running");
});

it("starts nothing while halted: not by itself, not in the next daemon, not when asked", async () => {
  const { house, daemon } = await halted();
  const next = await house.daemon();
  for (const asked of [
    () => house.up(next, SHOP),
    () => next.start({ cell: cell("shop") }, house.request(), silent, forever()),
    () => next.restart({ cell: cell("shop") }, house.request(), silent, forever()),
  ])
    await expect(asked()).rejects.toMatchObject({
      code: "WRONG_STATE",
      hint: expect.stringContaining("henge resume") as string,
    });
  expect(await states(daemon)).toMatchObject(DOWN);
  expect(await states(next)).toMatchObject(DOWN);
});

it("is over after a boot", async () => {
  const { house } = await halted();
  await rm(join(house.directory, "halted")); // the directory of a boot is empty at the next
  const next = await house.daemon();
  await settle(async () => (await states(next))["shop/web:web"] === "running");
});

it("thaws what is frozen: a frozen process cannot stop", async () => {
  const house = await House.build();
  const daemon = await house.daemon();
  await house.up(daemon, SHOP);
  await daemon.freeze(cell("shop/db"), house.request(), forever());
  await daemon.halt(house.request(), silent, forever());
  expect(await states(daemon)).toMatchObject(DOWN);
});

it("marks the boot it was set in, and no other", async () => {
  const path = join(await temporaryDirectory(), "halted");
  await openHaltMark(path, "this").set();
  expect(await openHaltMark(path, "this").isSet()).toBe(true);
  expect(await openHaltMark(path, "next").isSet()).toBe(false);
});
