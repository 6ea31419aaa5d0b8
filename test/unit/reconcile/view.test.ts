import { expect, it } from "vitest";

import { viewCells } from "../../../src/reconcile/view.js";
import { UNIT_STATES } from "../../../src/spec/index.js";
import type { MonolithName } from "../../../src/spec/index.js";
import { House } from "../../fixture/house.js";
import { cell as named, forever, states } from "../../fixture/shop.js";
import { cell, cellStatus, desired, unit, unitStatus } from "../../fixture/index.js";

it("shows a unit that no manifest declares only while something of it runs", () => {
  const web = unit("web");
  const stored = {
    name: "shop" as MonolithName,
    desired: desired([cell("shop", { units: [web] })]),
  };
  const shown = UNIT_STATES.filter((state) => {
    const units = [unitStatus(web), unitStatus(unit("gone"), { state })];
    const [shop] = viewCells(stored, [cellStatus(cell(), { units })], new Map());
    return shop?.units.length === 2;
  });
  const ended = ["stopped", "done", "failed"];
  expect(shown).toEqual(UNIT_STATES.filter((state) => !ended.includes(state)));
});

const MANIFEST = `
henge: 1
name: shop
root: host
units:
  web: { argv: [/bin/web] }
`;
const WITH_JOBS = `${MANIFEST}  jobs: { argv: [/bin/jobs] }\n`;

it("shows no trace of a unit that was removed but what it said", async () => {
  const house = await House.build();
  const asked: string[] = [];
  const daemon = await house.daemon({
    readLogs: async function* (sources) {
      await Promise.resolve();
      asked.push(...sources.map(({ unit: name }) => name));
      yield* [];
    },
  });
  await house.up(daemon, WITH_JOBS);
  await house.up(daemon, MANIFEST);
  expect(await states(daemon)).toEqual({ shop: "running", "shop:web": "running" });
  expect(await house.plan(daemon, MANIFEST)).toEqual([]);
  const target = { cell: named("shop"), unit: "jobs" as never };
  for await (const _ of daemon.logs({ target, follow: false }, forever())) expect.fail();
  expect(asked).toEqual(["jobs"]);
  await house.up(daemon, WITH_JOBS);
  expect((await states(daemon))["shop:jobs"]).toBe("running");
});
