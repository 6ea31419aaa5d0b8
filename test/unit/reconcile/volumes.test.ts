import { expect, it } from "vitest";

import { HengeError } from "../../../src/errors.js";
import { createFakeDriver } from "../../fake/storage.js";
import { House } from "../../fixture/house.js";
import { SHOP, cell, forever, settle, silent, states } from "../../fixture/shop.js";

/** Its volumes are made, and none of its cells is left. */
async function upAndDown(): Promise<House> {
  const house = await House.build();
  const first = await house.daemon();
  await house.up(first, SHOP);
  await first.free(
    cell("shop"),
    { destroyData: false, requestId: house.request() },
    silent,
    forever(),
  );
  return house;
}

it("brings its cells up by itself when the pool comes back", async () => {
  const house = await House.build();
  const first = await house.daemon();
  await house.up(first, SHOP);
  first.end();
  house.world.cells.clear(); // a boot
  let away = true;
  const volumes = {
    ...house.driver.volumes,
    source: (...args: Parameters<typeof house.driver.volumes.source>) =>
      away ? Promise.reject(new Error("the pool is away")) : house.driver.volumes.source(...args),
  };
  for (const name of ["shop/web", "shop/db", "shop"]) house.cgroups.setPopulated(cell(name), false);
  const next = await house.daemon({ driver: { ...house.driver, volumes } });
  await settle(async () => (await states(next))["shop/db"] === "blocked");
  expect((await next.get(cell("shop/db"))).reason).toBe("the pool is away");
  away = false;
  await settle(async () => {
    house.clock.advance(1_000);
    return (await states(next))["shop/web:web"] === "running";
  });
});

it("says what is wrong with the pool, not what it seems to lack", async () => {
  const house = await upAndDown();
  await house.up(await house.daemon(), SHOP);
  const gone = new HengeError("WRONG_STATE", "cannot use the pool: it is not imported");
  const absent = () => Promise.reject(gone);
  house.world.cells.clear(); // a boot
  for (const name of ["shop/web", "shop/db", "shop"]) house.cgroups.setPopulated(cell(name), false);
  const next = await house.daemon({
    driver: {
      ...house.driver,
      pool: { ...house.driver.pool, ensure: absent },
      volumes: { ...house.driver.volumes, list: absent },
      images: { ...house.driver.images, list: absent },
    },
  });
  await settle(async () => (await states(next))["shop/db"] === "blocked");
  expect((await next.get(cell("shop/db"))).reason).toBe(gone.message);
  expect(house.world.cells.size).toBe(0);
});

it("takes back an up that failed for a volume, says so, and starts nothing by itself", async () => {
  const house = await House.build();
  let locked = false;
  const volumes = {
    ...house.driver.volumes,
    source: async (...args: Parameters<typeof house.driver.volumes.source>) => {
      const source = await house.driver.volumes.source(...args);
      if (locked) throw new HengeError("WRONG_STATE", "its key is not loaded");
      locked = true;
      return source;
    },
  };
  const daemon = await house.daemon({ driver: { ...house.driver, volumes } });
  await expect(house.up(daemon, SHOP)).rejects.toThrow("its key is not loaded");
  expect(house.world.cells.size).toBe(0);
  const [shop] = await daemon.list();
  expect(shop).toMatchObject({ name: "shop", state: "absent" });
  expect(shop?.notReached).toMatch(/^up by a test did not come to its end .*its key is not loaded/);
  locked = false;
  await house.up(daemon, SHOP);
  expect((await daemon.list()).map(({ notReached }) => notReached)).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

it("finishes a volume whose making was killed before it was on record", async () => {
  const house = await House.build();
  let killed = true;
  const volumes = {
    ...house.driver.volumes,
    source: (...args: Parameters<typeof house.driver.volumes.source>) =>
      killed ? Promise.reject(new Error("killed")) : house.driver.volumes.source(...args),
  };
  const first = await house.daemon({ driver: { ...house.driver, volumes } });
  await expect(house.up(first, SHOP)).rejects.toThrow("internal error");
  first.end();
  killed = false;
  const next = await house.daemon();
  await house.up(next, SHOP);
  expect((await states(next))["shop/web:web"]).toBe("running");
});

it("never takes another pool's empty volume for the one that was made", async () => {
  const house = await upAndDown();
  const daemon = await house.daemon({ driver: createFakeDriver() }); // the pool's file is gone, a new one was made
  await expect(house.up(daemon, SHOP)).rejects.toThrow(
    "cannot make volume data of shop: it was made before, but the pool does not have it",
  );
});

it("starts no cell on another dataset than the one on record", async () => {
  const house = await upAndDown();
  const other = createFakeDriver();
  await other.pool.ensure(forever());
  await other.volumes.create("other" as never, { name: "data" as never }, forever());
  await other.volumes.create("shop" as never, { name: "data" as never }, forever());
  const daemon = await house.daemon({ driver: other });
  await expect(house.up(daemon, SHOP)).rejects.toThrow(
    "cannot mount volume data of shop: it is the dataset",
  );
  expect(house.world.cells.size).toBe(0);
});

it("makes the pool once when it is first asked for while the daemon starts", async () => {
  const house = await House.build();
  let [asked, atOnce, most] = [0, 0, 0];
  let make = (): void => undefined;
  const making = new Promise<void>((resolve) => (make = resolve));
  const pool = {
    ...house.driver.pool,
    ensure: async (signal: AbortSignal) => {
      most = Math.max(most, ++atOnce);
      await making;
      await house.driver.pool.ensure(signal);
      atOnce--;
    },
  };
  const nothing = (): Promise<void> => Promise.resolve();
  const isSet = (): Promise<boolean> => Promise.resolve(asked++ < 0);
  const daemon = await house.daemon({
    driver: { ...house.driver, pool },
    haltMark: { isSet, set: nothing, clear: nothing },
  });
  const up = house.up(daemon, SHOP);
  // The daemon asks whether all is halted, then `up` does, each the moment before it wants the pool.
  await settle(() => asked === 2);
  await new Promise((resolve) => setImmediate(resolve));
  make();
  await up;
  expect(most).toBe(1);
});

it("does not ask the pool for a monolith that has neither volumes nor images", async () => {
  const house = await House.build();
  const away = () => Promise.reject(new HengeError("WRONG_STATE", "the pool is away"));
  const daemon = await house.daemon({
    driver: {
      pool: { ...house.driver.pool, ensure: away, facts: away },
      volumes: { ...house.driver.volumes, list: away, listMonoliths: away },
      images: { ...house.driver.images, list: away },
      snapshots: house.driver.snapshots,
    },
  });
  const text = SHOP.replace("volumes: { data: {} }\n", "").replace(/^ +mounts:.*\n/m, "");
  await house.up(daemon, text);
  expect((await states(daemon))["shop/web:web"]).toBe("running");
  const options = { destroyData: false, requestId: house.request() };
  await daemon.free(cell("shop"), options, silent, forever());
});
