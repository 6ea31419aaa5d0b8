// What several monoliths share while each of them changes: uid ranges and the volumes' record.

import { expect, it } from "vitest";

import { createFakeWardens } from "../../fake/warden.js";
import { House } from "../../fixture/house.js";
import { SHOP, cell, forever, silent } from "../../fixture/shop.js";

const called = (name: string, text = SHOP): string => text.replace("name: shop", `name: ${name}`);
const TINY = `
henge: 1
name: shop
images: { app: { archive: /app.tar } }
root: { image: app }
units:
  web: { argv: [/bin/web] }
`;

it("gives each cell a uid range of its own, however many are raised at once", async () => {
  const house = await House.build();
  const wardens = createFakeWardens(house.world);
  const names = ["one", "two", "three"];
  let asked = 0;
  let go = (): void => undefined;
  const all = new Promise<void>((resolve) => (go = resolve));
  const daemon = await house.daemon({
    wardens: {
      ...wardens,
      allocate: async (request, signal) => {
        if (++asked === names.length) go();
        await all;
        return wardens.allocate(request, signal);
      },
    },
  });
  await Promise.all(names.map((name) => house.up(daemon, called(name, TINY))));
  const bases = [...house.world.cells.values()].map(({ uidBase }) => uidBase);
  expect(new Set(bases).size).toBe(names.length);
});

it("has every volume on record when several are made and destroyed at once", async () => {
  const house = await House.build();
  const daemon = await house.daemon();
  const names = Array.from({ length: 8 }, (_, index) => `shop${String(index)}`);
  await Promise.all(names.map((name) => house.up(daemon, called(name))));
  const down = (name: string, destroyData: boolean): Promise<void> =>
    daemon.free(cell(name), { destroyData, requestId: house.request() }, silent, forever());
  await Promise.all(names.map((name, index) => down(name, index % 2 === 1)));
  // The next daemon knows only what is on the disk: a volume that is not there as it was would be refused.
  const next = await house.daemon();
  await Promise.all(names.map((name) => house.up(next, called(name))));
});
