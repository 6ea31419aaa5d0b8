import { describe, expect, it } from "vitest";

import { HEAD, parse, problemsOf } from "./fixture.js";

const SHOP = `${HEAD}budgets:
  connections:
    unit: db:db
    option: --max_connections
    reserved: 3
    one-offs: { at-once: 2, each: 5 }
  clients: { unit: db:redis, limit: 500, descriptors: true, expects: { --maxmemory-policy: noeviction } }
exclusive: [scheduler]
units:
  web: { argv: [/bin/web], uses: { connections: 10 } }
  jobs: { argv: [/bin/jobs], uses: { connections: 25, clients: 60 }, owns: [scheduler] }
cells:
  db:
    units:
      db: { argv: [/bin/db, --max_connections=50, -D, /srv, --max_connections=100] }
      redis: { argv: [/bin/redis, --maxmemory-policy, noeviction] }
`;

function problemsWith(from: string, to: string): readonly string[] {
  if (SHOP.split(from).length !== 2) throw new Error(`${from} does not stand once in the manifest`);
  return problemsOf(SHOP.replace(from, to));
}

it("collects what takes of each budget, and reads the limit from the server's argv", () => {
  const { budgets, exclusive } = parse(SHOP);
  expect(budgets).toEqual([
    {
      ...{ name: "connections", limit: 100, option: "--max_connections" },
      unit: { cell: "shop/db", unit: "db" },
      ...{ reserved: 3, oneOffs: { atOnce: 2, each: 5 }, descriptors: false },
      uses: [
        { unit: { cell: "shop", unit: "web" }, amount: 10 },
        { unit: { cell: "shop", unit: "jobs" }, amount: 25 },
      ],
    },
    {
      ...{ name: "clients", limit: 500, reserved: 0, descriptors: true },
      unit: { cell: "shop/db", unit: "redis" },
      uses: [{ unit: { cell: "shop", unit: "jobs" }, amount: 60 }],
    },
  ]);
  expect(exclusive).toEqual([{ name: "scheduler", owner: { cell: "shop", unit: "jobs" } }]);
});

it("has neither where none is declared", () => {
  expect(Object.keys(parse(HEAD))).toEqual(["name", "images", "volumes", "cells"]);
});

describe("a limit in argv", () => {
  it.each([
    ["[/bin/db, --max_connections=100]", "--max_connections"],
    ["[/bin/db, --max_connections, '100']", "--max_connections"],
    ["[/bin/db, -c, max_connections=100]", "max_connections"],
    ["[/bin/db, -N, '7', -N, '100']", "-N"],
  ])("is found in %s by %s", (argv, option) => {
    const text = SHOP.replace(
      "[/bin/db, --max_connections=50, -D, /srv, --max_connections=100]",
      argv,
    );
    expect(
      parse(text.replace("option: --max_connections", `option: ${option}`)).budgets?.[0]?.limit,
    ).toBe(100);
  });

  it("must be there", () => {
    expect(problemsWith("option: --max_connections", "option: --max-clients")).toEqual([
      '7:13 budgets.connections.option: argv of "db:db" has no --max-clients',
    ]);
  });

  it("must be a number", () => {
    expect(problemsWith("--max_connections=100", "--max_connections=many")).toEqual([
      '7:13 budgets.connections.option: argv of "db:db" says --max_connections "many": expected a whole number',
    ]);
  });

  it("must agree with the manifest's, so that neither drifts", () => {
    expect(problemsWith("    reserved: 3", "    limit: 200")).toEqual([
      '8:12 budgets.connections.limit: argv of "db:db" says --max_connections "100", not 200',
    ]);
    expect(problemsWith("    reserved: 3", "    limit: 100")).toEqual([]);
  });
});

describe("what a budget refers to", () => {
  it.each([
    [
      "unit: db:db\n",
      "unit: db:dbb\n",
      '6:11 budgets.connections.unit: no unit "db:dbb"; did you mean "db:db"?',
    ],
    [
      "uses: { connections: 10 }",
      "uses: { conections: 10 }",
      '13:36 units.web.uses.conections: no budget "conections" is declared; did you mean "connections"?',
    ],
    [
      "owns: [scheduler]",
      "owns: [scheduler, shedule]",
      '14:88 units.jobs.owns[1]: no exclusive "shedule" is declared; did you mean "scheduler"?',
    ],
    ["    unit: db:db\n", "", "6:5 budgets.connections.option: of which unit? say it with `unit`"],
    [
      "    option: --max_connections\n",
      "",
      "5:3 budgets.connections: missing: expected limit, or unit and the option in its argv that sets the limit",
    ],
  ])("must be there: %j", (from, to, problem) => {
    expect(problemsWith(from, to)).toEqual([problem]);
  });
});

it("refuses a server whose argv does not have what a budget expects of it", () => {
  const path = "10:72 budgets.clients.expects.--maxmemory-policy";
  expect(problemsWith(", --maxmemory-policy, noeviction]", "]")).toEqual([
    `${path}: argv of "db:redis" has no --maxmemory-policy, "clients" needs "noeviction"`,
  ]);
  expect(
    problemsWith("--maxmemory-policy, noeviction]", "--maxmemory-policy, allkeys-lru]"),
  ).toEqual([
    `${path}: argv of "db:redis" says --maxmemory-policy "allkeys-lru", "clients" needs "noeviction"`,
  ]);
});

describe("what is exclusive", () => {
  it("has an owner", () => {
    expect(problemsWith(", owns: [scheduler]", "")).toEqual([
      '11:13 exclusive[0]: no unit owns "scheduler": one must, with `owns`',
    ]);
  });

  it("has no second owner", () => {
    expect(problemsWith("uses: { connections: 10 }", "owns: [scheduler]")).toEqual([
      '14:77 units.jobs.owns[0]: "web" owns "scheduler" already, and only one may',
    ]);
  });

  it("is not owned by a unit whose generations overlap", () => {
    expect(problemsWith("owns: [scheduler]", "owns: [scheduler], handover: true")).toContain(
      '14:77 units.jobs.owns[0]: "jobs" hands over: while it does, two would own "scheduler"',
    );
  });
});
