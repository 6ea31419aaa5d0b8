import { expect, it } from "vitest";

import type { Progress } from "../../../src/reconcile/control.js";
import { House } from "../../fixture/house.js";
import { SHOP } from "../../fixture/shop.js";

const BUDGETED = SHOP.replace(
  "network: own",
  "network: own\nbudgets: { connections: { limit: 12, one-offs: { at-once: 1, each: 2 } } }",
).replace("argv: [/bin/web]", "argv: [/bin/web], uses: { connections: 10 }");

it("shows the budgets beside the plan", async () => {
  const house = await House.build();
  const { budgets } = await house.wholePlan(await house.daemon(), BUDGETED);
  expect(budgets.map(({ name, doubled, limit }) => [name, doubled, limit])).toEqual([
    ["connections", 12, 12],
    ["memory.max", 512 * 1024 ** 2, 8 * 1024 ** 3],
  ]);
});

it("refuses what cannot fit with the sum, planned or applied, and changes nothing", async () => {
  const house = await House.build();
  const daemon = await house.daemon();
  const tooMuch = BUDGETED.replace("connections: 10", "connections: 11");
  const refusal = {
    code: "OVER_CAPACITY",
    message:
      "cannot fit shop: connections: 13 asked of 12 (the manifest): shop/web:web 11 + one-offs 1 at once 2",
  };
  await expect(house.plan(daemon, tooMuch)).rejects.toMatchObject(refusal);
  await expect(house.up(daemon, tooMuch)).rejects.toMatchObject(refusal);
  expect(await daemon.list()).toEqual([]);
  expect(house.journal()).toEqual([]);
});

it("does not restart a unit because it takes more of a budget", async () => {
  const house = await House.build();
  const daemon = await house.daemon();
  await house.up(daemon, BUDGETED);
  house.journal();
  await house.up(daemon, BUDGETED.replace("limit: 12", "limit: 20").replace("ons: 10", "ons: 11"));
  expect(house.journal()).toEqual([]);
});

it("counts the memory of the other monoliths, and says so where more is allowed than there is", async () => {
  const house = await House.build();
  const daemon = await house.daemon();
  const said: string[] = [];
  const report = (progress: Progress): void => {
    if (progress.kind === "note") said.push(progress.text);
  };
  await house.up(daemon, SHOP, { report });
  expect(said).toEqual([]);
  const blog = SHOP.replace("name: shop", "name: blog").replace("512MiB", "8GiB");
  await house.up(daemon, blog, { report });
  expect(said).toEqual([
    "memory.max: 8.5GiB asked of 8GiB (memory of this host): blog 8GiB + shop 512MiB",
  ]);
});
