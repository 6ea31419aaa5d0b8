import { expect, it } from "vitest";

import type { Progress } from "../../../src/reconcile/control.js";
import { House } from "../../fixture/house.js";
import { SHOP } from "../../fixture/shop.js";

const limited = (limits: string): string =>
  SHOP.replace("memory.max: 512MiB", limits).replace(
    "mounts: [{ volume: data",
    `limits: { ${limits} }\n    mounts: [{ volume: data`,
  );

it.each([
  ["cpuset.cpus: 3-4", "cannot place shop on CPU 4: this host has only 0-3"],
  ["cpuset.mems: 2", "cannot place shop on memory node 2: this host has only 0-1"],
  [
    'io.max: [{ device: "9:9", wbps: 1MiB }]',
    "cannot limit io.max of shop on 9:9: this host has no such block device",
  ],
  [
    'io.max: [{ device: "8:1", wbps: 1MiB }]',
    "cannot limit io.max of shop on 8:1: sda1 is a partition, limit sda (8:0) as a whole",
  ],
])("refuses %s, which this host does not have, before it changes anything", async (limits, why) => {
  const house = await House.build();
  const daemon = await house.daemon();
  await expect(house.plan(daemon, limited(limits))).rejects.toThrow(why);
  await expect(house.up(daemon, limited(limits))).rejects.toThrow(why);
  expect(await daemon.list()).toEqual([]);
});

it("refuses a nested cell on a node its parent keeps it off", async () => {
  const house = await House.build();
  const daemon = await house.daemon();
  const apart = SHOP.replace("memory.max: 512MiB", "numa: node0").replace(
    "  web:\n",
    "  web:\n    limits: { numa: node1 }\n",
  );
  await expect(house.up(daemon, apart)).rejects.toThrow(
    "cannot place shop/web on CPUs 2, 3: shop is kept on 0-1; shop/web on memory node 1: shop is kept on 0",
  );
});

it.each([
  ["zfs", ["io.max of shop/db does not hold back what it writes to its volumes"]],
  ["btrfs", []],
] as const)("says on %s what io.max does not hold back", async (driver, notes) => {
  const house = await House.build();
  const pool = {
    ...house.driver.pool,
    facts: async () => ({ ...(await house.driver.pool.facts()), driver }),
  };
  const said: Progress[] = [];
  const manifest = limited('io.max: [{ device: "8:0", wbps: 1MiB }]');
  await house.up(await house.daemon({ driver: { ...house.driver, pool } }), manifest, {
    report: (one) => said.push(one),
  });
  const texts = said.flatMap((one) => (one.kind === "note" ? [one.text.split(":")[0]] : []));
  expect(texts).toEqual(notes);
});
