// What a monolith's cells come to: made, replaced, taken down or left alone, with what is in them.

import { describe, expect, it } from "vitest";

import type { CellName, ImageName, UnitName, VolumeName } from "../../../src/spec/index.js";
import {
  cell,
  cellStatus,
  desired,
  monolith,
  observed,
  unit,
  unitStatus,
} from "../../fixture/index.js";
import { cache, db, plan, reasons, running, shop, web } from "./fixture.js";

describe("bringing a monolith up", () => {
  it("makes what is missing, parents first, and starts the independent side by side", () => {
    const spec = monolith(shop, {
      volumes: [{ name: "data" as VolumeName, quotaBytes: 1024 }],
      images: [{ name: "rails" as ImageName, archive: "/rails.tar", digest: "d1" }],
    });
    expect(plan({ spec, stopped: [] }, observed())).toEqual([
      "import image rails",
      "create volume data",
      "allocate shop",
      "allocate shop/db",
      "allocate shop/cache",
      "allocate shop/web",
      "start shop/db:postgres",
      "start shop/cache:redis",
      "await shop/db:postgres",
      "await shop/cache:redis",
      "start shop/web:migrate",
      "await shop/web:migrate",
      "start shop/web:puma",
      "await shop/web:puma",
    ]);
  });

  it("plans nothing when all is as desired", () => {
    expect(plan(desired(shop), running)).toEqual([]);
  });

  it("awaits a unit that is starting, and before what waits for it", () => {
    const seen = observed([
      cellStatus(shop[0]),
      cellStatus(db, { units: [unitStatus(db.units[0], { state: "starting" })] }),
      cellStatus(cache),
      cellStatus(web, { units: [] }),
    ]);
    expect(plan(desired(shop), seen)).toEqual([
      "await shop/db:postgres",
      "start shop/web:migrate",
      "await shop/web:migrate",
      "start shop/web:puma",
      "await shop/web:puma",
    ]);
  });

  it("allocates a blocked cell, and replaces an unsupervised one without stop steps", () => {
    expect(reasons(desired([db]), observed([cellStatus(db, { state: "blocked" })]))[0]).toBe(
      "allocate shop/db: not allocated",
    );
    expect(reasons(desired([db]), observed([cellStatus(db, { state: "unsupervised" })]))).toEqual([
      "free shop/db: its warden is gone",
      "allocate shop/db: its warden is gone",
      "start shop/db:postgres: shop/db is allocated anew",
      "await shop/db:postgres: until it is ready",
    ]);
  });

  it("resizes a volume and imports an image that has changed", () => {
    const volume = { name: "data" as VolumeName };
    const image = { name: "rails" as ImageName, archive: "/rails.tar", digest: "d2" };
    const spec = monolith([cell()], {
      volumes: [{ ...volume, quotaBytes: 2048 }],
      images: [image],
    });
    const seen = observed([cellStatus()], {
      volumes: [{ ...volume, quotaBytes: 1024 }],
      images: [{ name: image.name, digest: "d1" }],
    });
    expect(reasons({ spec, stopped: [] }, seen)).toEqual([
      "import image rails: image digest changed",
      "set volume data: quota 1KiB → 2KiB",
    ]);
  });
});

describe("taking down", () => {
  it("stops units over the whole monolith in reverse, then frees nested cells before their parents", () => {
    expect(plan(undefined, running)).toEqual([
      "stop shop/web:puma",
      "stop shop/cache:redis",
      "stop shop/db:postgres",
      "free shop/web",
      "free shop/cache",
      "free shop/db",
      "free shop",
    ]);
  });

  it("of a removed cell stops and frees that cell, and keeps its volume", () => {
    const seen = { ...running, volumes: [{ name: "data" as VolumeName }] };
    expect(reasons(desired(shop.slice(0, 3)), seen)).toEqual([
      "stop shop/web:puma: shop/web: removed from the manifest",
      "free shop/web: removed from the manifest",
    ]);
  });

  it("stops a unit that is no longer in the manifest, also one that only waits to be started again", () => {
    for (const state of [
      "running",
      "backoff",
      "crashloop",
      "starting",
      "stopping",
      "degraded",
    ] as const) {
      const seen = observed([cellStatus(cell(), { units: [unitStatus(unit(), { state })] })]);
      expect(reasons(desired(), seen)).toEqual(["stop shop:web: removed from the manifest"]);
    }
    const done = observed([cellStatus(cell(), { units: [unitStatus(unit(), { state: "done" })] })]);
    expect(plan(desired(), done)).toEqual([]);
  });
});

describe("a changed boundary", () => {
  const image = (digest: string) =>
    ({ boundary: { root: { kind: "image", image: "rails" as ImageName, digest } } }) as const;

  it("stops, frees, allocates and starts the cell, and nothing else", () => {
    const before = cell("shop/web", { ...image("d1"), units: web.units });
    const after = cell("shop/web", { ...image("d2"), units: web.units });
    const seen = observed([...shop.slice(0, 3), before].map((one) => cellStatus(one)));
    expect(reasons(desired([...shop.slice(0, 3), after]), seen)).toEqual([
      "stop shop/web:puma: shop/web: image digest changed",
      "free shop/web: image digest changed",
      "allocate shop/web: image digest changed",
      "start shop/web:migrate: shop/web is allocated anew",
      "await shop/web:migrate: shop/web:puma starts after it",
      "start shop/web:puma: shop/web is allocated anew",
      "await shop/web:puma: until it is ready",
    ]);
  });

  it("of a parent allocates the cells nested in it anew too", () => {
    const renamed = cell("shop", { boundary: { hostname: "store" } });
    const nested = cell("shop/db", { units: [unit("postgres")] });
    const seen = observed([cellStatus(cell("shop")), cellStatus(nested)]);
    expect(reasons(desired([renamed, nested]), seen)).toEqual([
      "stop shop/db:postgres: shop/db: shop is allocated anew",
      "free shop/db: shop is allocated anew",
      'free shop: hostname "shop" → "store"',
      'allocate shop: hostname "shop" → "store"',
      "allocate shop/db: shop is allocated anew",
      "start shop/db:postgres: shop/db is allocated anew",
      "await shop/db:postgres: until it is ready",
    ]);
  });
});

describe("a cell nothing may be done to", () => {
  const changed = cell("shop/db", { units: [unit("postgres", { argv: ["/bin/other"] })] });

  it.each(["frozen", "quarantined"] as const)("%s is left alone with all nested in it", (state) => {
    const seen = observed([cellStatus(cell("shop"), { state }), cellStatus(db)]);
    expect(
      plan(desired([cell("shop", { limits: { "pids.max": "9" } }), changed, web]), seen),
    ).toEqual([]);
  });

  it("keeps its parent from being freed, and then nothing under that parent is touched", () => {
    const seen = observed([
      cellStatus(cell("shop")),
      cellStatus(db, { state: "frozen" }),
      cellStatus(cache),
    ]);
    expect(plan(undefined, seen)).toEqual([]);
    const siblings = desired([cell("shop"), db]);
    expect(plan(siblings, seen)).toEqual(["stop shop/cache:redis", "free shop/cache"]);
  });

  it("is no reason not to wait for what comes by itself in a cell nested in it", () => {
    const seen = observed([
      cellStatus(cell("shop")),
      cellStatus(cell("shop/a"), { state: "quarantined" }),
      cellStatus(cell("shop/a/b"), { units: [unitStatus(unit("redis"), { state: "backoff" })] }),
    ]);
    const after = [{ cell: "shop/a/b" as CellName, unit: "redis" as UnitName }];
    const wanted = desired([
      cell("shop", { units: [unit("web", { after })] }),
      cell("shop/a"),
      cell("shop/a/b", { units: [unit("redis", { argv: ["/bin/other"] })] }),
    ]);
    expect(plan(wanted, seen)).toEqual([
      "await shop/a/b:redis",
      "start shop:web",
      "await shop:web",
    ]);
  });

  it("holds back units that wait for one of its units that is not ready", () => {
    const frozen = cellStatus(db, {
      state: "frozen",
      units: [unitStatus(db.units[0], { state: "starting" })],
    });
    const seen = observed([
      cellStatus(cell("shop")),
      frozen,
      cellStatus(cache),
      cellStatus(web, { units: [] }),
    ]);
    expect(plan(desired(shop), seen)).toEqual([]);
  });
});

describe("published ports", () => {
  const port = (hostPort: number) => ({ hostAddress: "127.0.0.1", hostPort, cellPort: 3000 });

  it("are replaced live when one of them changed, whatever their order", () => {
    const wanted = cell("shop", { publish: [port(1), port(2)] });
    const same = cellStatus(cell(), { publish: [port(2), port(1)] });
    expect(plan(desired([wanted]), observed([same]))).toEqual([]);
    const other = cellStatus(cell(), { publish: [port(1), port(3)] });
    expect(reasons(desired([wanted]), observed([other]))).toEqual([
      "publish shop 127.0.0.1:1:3000 127.0.0.1:2:3000: 127.0.0.1:2:3000 added, 127.0.0.1:3:3000 removed",
    ]);
  });
});
