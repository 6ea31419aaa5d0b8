import { join } from "node:path";

import { expect, it } from "vitest";

import type { HouseDaemon } from "../../fixture/house-daemon.js";
import type { MonolithName } from "../../../src/spec/index.js";
import { openMonoliths } from "../../../src/store/monoliths.js";
import { House } from "../../fixture/house.js";
import { forever, settle, states } from "../../fixture/shop.js";

/** Two cells that serve, and a migration before them; `upgrade:` as Mastodon's would be. */
const manifest = (version: number): string => `
henge: 1
name: shop
root: host
volumes: { data: {} }
mounts: [{ volume: data, path: /srv }]
upgrade:
  before: [{ unit: "migrate:migrate", env: { SKIP_POST: "true" } }]
  after: [migrate:migrate]
  settle: 2s
cells:
  db:
    units:
      db: { argv: [/bin/db] }
  migrate:
    units:
      migrate: { one-shot: true, argv: [/bin/migrate, "${String(version)}"], after: ["db:db"] }
  web:
    units:
      web: { argv: [/bin/web, "${String(version)}"], after: ["migrate:migrate"], restart: never }
  jobs:
    units:
      jobs: { argv: [/bin/jobs, "${String(version)}"], after: ["migrate:migrate"] }
`;

async function open(): Promise<{ house: House; daemon: HouseDaemon }> {
  const house = await House.build();
  const daemon = await house.daemon();
  await house.up(daemon, manifest(1));
  house.journal();
  return { house, daemon };
}

/** The clock goes on by itself, as the health gate needs. */
async function upgrade(
  house: House,
  daemon: HouseDaemon,
  text = manifest(2),
  heard: (note: string) => void = () => undefined,
): Promise<string[]> {
  const notes: string[] = [];
  const source = { file: "shop.yaml", directory: "/", text };
  const options = { allowMissingControllers: false, requestId: house.request() };
  let ended = false;
  const done = daemon
    .upgrade(
      source,
      options,
      (progress) => {
        if (progress.kind !== "note") return;
        notes.push(progress.text);
        heard(progress.text);
      },
      forever(),
    )
    .finally(() => (ended = true));
  await Promise.all([
    done,
    settle(() => {
      house.clock.advance(100);
      return ended;
    }),
  ]);
  return notes;
}

const snapshots = async (house: House) =>
  (await house.driver.snapshots.list("shop" as MonolithName)).map(({ name }) => name);

it("snapshots, migrates, restarts cell by cell and migrates once more", async () => {
  const { house, daemon } = await open();
  const notes = await upgrade(house, daemon);
  expect(house.journal()).toEqual([
    "start shop/migrate:migrate",
    "stop shop/web:web",
    "start shop/web:web",
    "stop shop/jobs:jobs",
    "start shop/jobs:jobs",
    "start shop/migrate:migrate",
  ]);
  expect(notes.at(0)).toMatch(/^took snapshot before-upgrade-/);
  expect(await snapshots(house)).toHaveLength(1);
  expect(await house.plan(daemon, manifest(2))).toEqual([]);
});

it("goes back to the old code when a cell does not come up on the new, and says so", async () => {
  const { house, daemon } = await open();
  const broken = manifest(2).replace(
    'argv: [/bin/jobs, "2"]',
    'argv: [/bin/jobs, "2"], readiness: notify, start-timeout: 1s, restart: never',
  );
  await expect(upgrade(house, daemon, broken)).rejects.toThrow(
    /^cannot upgrade shop: cannot bring up shop\/jobs:jobs: .*; it is back on what ran before$/,
  );
  expect(await house.plan(daemon, manifest(1))).toEqual([]);
  expect((await states(daemon))["shop/jobs:jobs"]).toBe("running");
});

it("goes back when what came up does not stay up", async () => {
  const { house, daemon } = await open();
  const failing = upgrade(house, daemon, manifest(2), (note) => {
    if (note.includes("whether it stays so")) house.world.end("shop/web", "web", { code: 1 });
  });
  await expect(failing).rejects.toThrow(/shop\/web:web .*it is back on what ran before/);
  expect(await house.plan(daemon, manifest(1))).toEqual([]);
});

it("goes back to the old probe, without a restart, where nothing else is new and it does not hold", async () => {
  const { house, daemon } = await open();
  const watched = manifest(1).replace(
    "argv: [/bin/db]",
    "argv: [/bin/db], health: { exec: [/fails], interval: 100ms, failures: 1 }",
  );
  await expect(upgrade(house, daemon, watched)).rejects.toThrow(
    "cannot upgrade shop: shop/db:db is degraded: exec probe: exit 1; it is back on what ran before",
  );
  expect(await house.plan(daemon, manifest(1))).toEqual([]);
  expect((await states(daemon))["shop/db:db"]).toBe("running");
  expect(house.journal().filter((act) => act.includes("shop/db"))).toEqual([]);
});

it("refuses what is not up or not well, and changes nothing", async () => {
  const house = await House.build();
  const daemon = await house.daemon();
  await expect(upgrade(house, daemon)).rejects.toMatchObject({ code: "WRONG_STATE" });
  await house.up(daemon, manifest(1));
  house.world.end("shop/web", "web", { code: 1 });
  await settle(async () => (await states(daemon))["shop/web:web"] === "failed");
  house.journal();
  await expect(upgrade(house, daemon)).rejects.toThrow("shop/web:web is failed");
  expect(house.journal()).toEqual([]);
  expect(await snapshots(house)).toEqual([]);
});

it("goes back after a crash before the point of no return", async () => {
  const house = await House.build();
  const store = await openMonoliths(join(house.directory, "monoliths"));
  let killed = false;
  const write: typeof store.write = (desired) =>
    killed ? Promise.reject(new Error("it is gone")) : store.write(desired);
  const daemon = await house.daemon({ store: { ...store, write } });
  await house.up(daemon, manifest(1));
  const hanging = manifest(2).replace(
    'argv: [/bin/web, "2"]',
    'argv: [/bin/web, "2"], readiness: notify',
  );
  const source = { file: "shop.yaml", directory: "/", text: hanging };
  const options = { allowMissingControllers: false, requestId: house.request() };
  daemon.upgrade(source, options, () => undefined, forever()).catch(() => undefined);
  await settle(async () => (await states(daemon))["shop/web:web"] === "starting");
  killed = true;
  const next = await house.daemon();
  await settle(async () => {
    house.clock.advance(1_000);
    return (
      (await states(next))["shop/web:web"] === "running" &&
      (await house.plan(next, manifest(1))).length === 0
    );
  });
});

it("tells that it is past the point of no return, and how to go on or back", async () => {
  const { house, daemon } = await open();
  const failing = upgrade(house, daemon, manifest(2), (note) => {
    if (note.includes("no way back")) house.world.failing.add("/bin/migrate");
  });
  await expect(failing).rejects.toMatchObject({
    message: expect.stringContaining("it is past the point of no return") as string,
    hint: expect.stringContaining("henge rollback shop before-upgrade-") as string,
  });
  expect(await house.plan(daemon, manifest(2))).not.toEqual([]);
  expect((await states(daemon))["shop/web:web"]).toBe("running");
});
