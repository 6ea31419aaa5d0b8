import { describe, expect, it } from "vitest";

import { describeStep, planMonolith } from "../../../src/plan/index.js";
import type {
  Controller,
  Desired,
  ImageName,
  Observed,
  VolumeName,
} from "../../../src/spec/index.js";
import {
  cell,
  cellStatus,
  desired,
  monolith,
  observed,
  ref,
  unit,
  unitStatus,
} from "../../fixture/index.js";

const facts = {
  offered: ["cpu", "memory", "pids", "io", "cpuset"] satisfies Controller[],
  keeps: [],
};

function plan(wanted: Desired | undefined, seen: Observed): readonly string[] {
  return planMonolith(wanted, seen, facts).map(describeStep);
}

function reasons(wanted: Desired | undefined, seen: Observed): readonly string[] {
  return planMonolith(wanted, seen, facts).map((step) => `${describeStep(step)}: ${step.reason}`);
}

const db = cell("shop/db", { units: [unit("postgres")] });
const cache = cell("shop/cache", { units: [unit("redis")] });
const migrate = unit("migrate", {
  oneShot: true,
  after: [ref("shop/db:postgres"), ref("shop/cache:redis")],
});
const web = cell("shop/web", {
  units: [migrate, unit("puma", { after: [ref("shop/web:migrate")] })],
});
const shop = [cell("shop"), db, cache, web];
const running = observed(shop.map((one) => cellStatus(one)));

describe("bringing a monolith up", () => {
  it("makes what is missing, parents first, and starts the independent side by side", () => {
    const spec = monolith(shop, {
      volumes: [{ name: "data" as VolumeName, quotaBytes: 1024 }],
      images: [{ name: "rails" as ImageName, archive: "/rails.tar", digest: "d1" }],
    });
    expect(plan({ spec, stopped: [] }, observed())).toEqual([
      "create volume data",
      "import image rails",
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
      "set volume data: quota 1KiB → 2KiB",
      "import image rails: image digest changed",
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

describe("a changed unit", () => {
  it("is restarted alone: what starts after it runs on", () => {
    const other = cell("shop/db", { units: [unit("postgres", { env: { TZ: "UTC" } })] });
    expect(reasons(desired([cell("shop"), other, cache, web]), running)).toEqual([
      "stop shop/db:postgres: env.TZ added",
      "start shop/db:postgres: env.TZ added",
      "await shop/db:postgres: until it is ready",
    ]);
  });

  it("is not restarted because it starts after other units than before", () => {
    const freed = cell("shop/web", { units: web.units.map((one) => ({ ...one, after: [] })) });
    expect(plan(desired([cell("shop"), db, cache, freed]), running)).toEqual([]);
  });

  it("runs on as it is when what it waits for is stopped by an operator", () => {
    const [first = migrate] = web.units;
    const puma = unit("puma", { argv: ["/bin/other"], after: [ref("shop/db:postgres")] });
    const wanted = desired(
      [cell("shop"), db, cache, { ...web, units: [first, puma] }],
      ["shop/db:postgres"],
    );
    expect(plan(wanted, running)).toEqual(["stop shop/db:postgres"]);
  });

  it("that is a one-shot runs once more", () => {
    const again = { ...migrate, argv: ["/bin/migrate", "--all"] };
    const wanted = desired([
      cell("shop"),
      db,
      cache,
      { ...web, units: [again, ...web.units.slice(1)] },
    ]);
    expect(reasons(wanted, running)).toEqual([
      'start shop/web:migrate: argv[1] none → "--all"',
      "await shop/web:migrate: until it is done",
    ]);
  });
});

describe("a unit as it should be, in each state", () => {
  const spec = cell("shop", { units: [unit()] });
  const exit = { code: 1, atMs: 0 };
  it.each([
    ["running", []],
    ["done", []],
    ["degraded", []],
    ["backoff", ["start shop:web: in back-off (exit 1)", "await shop:web: until it is ready"]],
    ["starting", ["await shop:web: not ready yet"]],
    ["stopped", ["start shop:web: not running", "await shop:web: until it is ready"]],
    ["stopping", ["start shop:web: is being stopped", "await shop:web: until it is ready"]],
    ["failed", ["start shop:web: failed (exit 1)", "await shop:web: until it is ready"]],
    [
      "crashloop",
      ["start shop:web: in a crash loop (exit 1)", "await shop:web: until it is ready"],
    ],
  ] as const)("%s: %j", (state, expected) => {
    const seen = observed([cellStatus(spec, { units: [unitStatus(unit(), { state, exit })] })]);
    expect(reasons(desired([spec]), seen)).toEqual(expected);
  });

  it("is left to its restart policy after a failure when nobody asked for another try", () => {
    for (const state of ["failed", "crashloop", "backoff"] as const) {
      const seen = observed([cellStatus(spec, { units: [unitStatus(unit(), { state })] })]);
      expect(planMonolith(desired([spec]), seen, { ...facts, leaveFailed: true })).toEqual([]);
    }
  });
});

it("does not try again, unless somebody asks, what a unit has handed over to in vain", () => {
  const listen = [{ name: "web", address: "0.0.0.0", port: 80 }];
  const old = unit("web", { handover: true, readiness: { kind: "notify" }, listen });
  const rejected = { ...old, argv: ["/bin/broken"] };
  const seen = observed([cellStatus(cell(), { units: [unitStatus(old, { rejected })] })]);
  const wanted = desired([cell("shop", { units: [rejected] })]);
  expect(planMonolith(wanted, seen, { ...facts, leaveFailed: true })).toEqual([]);
  expect(plan(wanted, seen)).toEqual(["hand-over shop:web"]);
  const other = desired([cell("shop", { units: [{ ...old, argv: ["/bin/other"] }] })]);
  expect(planMonolith(other, seen, { ...facts, leaveFailed: true })).toHaveLength(1);
});

describe("a unit an operator stopped", () => {
  const spec = cell("shop", { units: [unit("db"), unit("web", { after: [ref("shop:db")] })] });

  it("stays stopped, and what waits for it is not started", () => {
    const wanted = desired([spec], ["shop:db"]);
    expect(plan(wanted, observed([cellStatus(spec, { units: [] })]))).toEqual([]);
    expect(plan(wanted, observed())).toEqual(["allocate shop"]);
  });

  it("is stopped when it runs; what waits for it runs on", () => {
    expect(reasons(desired([spec], ["shop:db"]), observed([cellStatus(spec)]))).toEqual([
      "stop shop:db: stopped by operator",
    ]);
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
