import { expect, it } from "vitest";

import { House } from "../../fixture/house.js";
import { SHOP, cell, forever, silent } from "../../fixture/shop.js";

const TWO = SHOP.replace(
  "web: { argv: [/bin/web],",
  'web: { instances: [1, 2], argv: [/bin/web, "${instance}"],',
);

it("reaches all instances of a unit by their cell, and restarts only the one that changed", async () => {
  const house = await House.build();
  const daemon = await house.daemon();
  await house.up(daemon, TWO);
  expect(house.journal().slice(2)).toEqual(["start shop/web:web-1", "start shop/web:web-2"]);
  await daemon.restart({ cell: cell("shop/web") }, house.request(), silent, forever());
  const restarted = house.journal();
  for (const unit of ["web-1", "web-2"]) {
    expect(restarted).toContain(`stop shop/web:${unit}`);
    expect(restarted).toContain(`start shop/web:${unit}`);
  }
  await house.up(daemon, TWO.replace("[1, 2]", "[1, 3]"));
  expect(house.journal()).toEqual(["stop shop/web:web-2", "start shop/web:web-3"]);
});
