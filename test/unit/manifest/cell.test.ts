// A cell and its monolith as a manifest writes them: what follows from the least, and which names and ports are taken.

import { describe, expect, it } from "vitest";

import { HEAD, parse, parseCell, problemsOf } from "./fixture.js";

const NAME =
  "expected a name of at most 31 characters: a small letter, then small letters, digits or -";

describe("a monolith", () => {
  it("of the least that is asked for", () => {
    expect(parse(HEAD)).toEqual({
      name: "shop",
      images: [],
      volumes: [],
      cells: [
        {
          name: "shop",
          boundary: {
            root: { kind: "host" },
            network: "own",
            hostname: "shop",
            mounts: [],
            tmpfs: [],
            files: [],
          },
          limits: {},
          acceptMissingControllers: [],
          publish: [],
          units: [],
        },
      ],
    });
  });

  it("lists parents before children, each with its last label as hostname", () => {
    const { cells } = parse(`${HEAD}cells: { b: { cells: { c: {} } }, a: {} }`);
    expect(cells.map(({ name }) => name)).toEqual(["shop", "shop/b", "shop/b/c", "shop/a"]);
    expect(cells.map(({ boundary }) => boundary.hostname)).toEqual(["shop", "b", "c", "a"]);
  });

  it("gives nested cells their parent's network, root and accepted controllers", () => {
    const text = `henge: 1
name: shop
root: { image: one }
network: host
accept-missing-controllers: [io]
images: { one: { archive: a.tar }, two: { archive: b.tar } }
cells:
  a: { cells: { b: {} } }
  c: { root: { image: two }, accept-missing-controllers: [], cells: { d: {} } }
  e: { root: host }
`;
    const { cells } = parse(text);
    const one = { kind: "image", image: "one" };
    const two = { kind: "image", image: "two" };
    expect(cells.map(({ boundary }) => boundary.root)).toEqual([
      one,
      one,
      one,
      two,
      two,
      { kind: "host" },
    ]);
    expect(cells.map(({ boundary }) => boundary.network)).toEqual([
      "host",
      ...Array<string>(5).fill("parent"),
    ]);
    expect(cells.map((cell) => cell.acceptMissingControllers)).toEqual([
      ["io"],
      ["io"],
      ["io"],
      [],
      [],
      ["io"],
    ]);
  });

  it("resolves the host's paths against the manifest's directory", () => {
    const { images, cells } = parse(
      `${HEAD}images: { a: { archive: ./x/a.tar }, b: { archive: ../b.tar }, c: { archive: /c//d/./c.tar }, d: { archive: ../../../../d } }
files: [{ source: conf, path: /etc/conf }]`,
    );
    expect(images.map(({ archive }) => archive)).toEqual([
      "/srv/shop/x/a.tar",
      "/srv/b.tar",
      "/c/d/c.tar",
      "/d",
    ]);
    expect(cells[0]?.boundary.files).toEqual([{ source: "/srv/shop/conf", path: "/etc/conf" }]);
  });

  it("collects what files of settings must and must not set, apart from what makes the cell", () => {
    const { cells, settings } = parse(`${HEAD}files: [{ source: a.conf, path: /etc/a, keys: [A] }]
cells: { web: { files: [{ source: /b, path: /b }, { source: /c, path: /c, without: [PORT] }] } }`);
    expect(settings).toEqual([
      { cell: "shop", source: "/srv/shop/a.conf", keys: ["A"], without: [] },
      { cell: "shop/web", source: "/c", keys: [], without: ["PORT"] },
    ]);
    expect(cells[0]?.boundary.files).toEqual([{ source: "/srv/shop/a.conf", path: "/etc/a" }]);
  });

  it("refuses a name that a file must and must not set", () => {
    const file = "{ source: /a, path: /b, keys: [A, PORT], without: [PORT] }";
    expect(problemsOf(`${HEAD}files: [${file}]`)).toEqual([
      "4:59 files[0].without: expected none of the names in keys",
    ]);
  });

  it("reads volumes with and without a quota", () => {
    expect(parse(`${HEAD}volumes: { a: { quota: 8GiB }, b: {} }`).volumes).toEqual([
      { name: "a", quotaBytes: 8_589_934_592 },
      { name: "b" },
    ]);
  });

  it.each([
    [
      "henge: 2\nname: shop\nroot: host",
      "1:8 henge: expected 1, the version of the format this Henge reads, got the number 2",
    ],
    [
      "name: shop\nroot: host",
      "1:1 henge: missing: expected 1, the version of the format this Henge reads",
    ],
    ["henge: 1\nroot: host", `1:1 name: missing: ${NAME}`],
    ["henge: 1\nname: shop", "1:1 root: missing: expected host or a mapping"],
    [
      `${HEAD}replicas: yes`,
      '4:1 replicas: unknown field "replicas"; allowed: henge, name, images, volumes, upgrade, snapshots, budgets, exclusive, root, network, publish, limits, accept-missing-controllers, mounts, tmpfs, files, units, cells',
    ],
    [
      `${HEAD}volume: {}`,
      '4:1 volume: unknown field "volume"; did you mean "volumes"?; allowed: henge, name, images, volumes, upgrade, snapshots, budgets, exclusive, root, network, publish, limits, accept-missing-controllers, mounts, tmpfs, files, units, cells',
    ],
    [`${HEAD}network: none`, '4:10 network: expected host or own, got the string "none"'],
    [
      `${HEAD}cells: { a: { network: own } }`,
      '4:24 cells.a.network: expected parent in a nested cell: only the root cell says host or own, got the string "own"',
    ],
    [
      `${HEAD}cells: { a: { publish: ["1:1"] } }`,
      "4:24 cells.a.publish: only the root cell publishes ports",
    ],
    [
      `${HEAD}volumes: { a: { quota: 0B } }`,
      '4:24 volumes.a.quota: expected a size from 1MiB to 1024TiB (units B, KiB, MiB, GiB, TiB), got the string "0B"',
    ],
    [`${HEAD}volumes: { a: }`, "4:15 volumes.a: expected a mapping, got nothing"],
    [
      `${HEAD}images: { a: { archive: "" } }`,
      '4:25 images.a.archive: expected a path, absolute or relative to the manifest, got the string ""',
    ],
    [`${HEAD}units: []`, "4:8 units: expected a mapping, got a list"],
  ])("refuses %j", (text, problem) => {
    expect(problemsOf(text)).toEqual([problem]);
  });
});

describe("names", () => {
  const BAD = [
    "../x",
    "a/b",
    ".",
    "cgroup.procs",
    "-rf",
    "a b",
    "a_b",
    "1a",
    "",
    "ü",
    "a\u202eb",
    "x".repeat(32),
    "x".repeat(300),
  ];

  it.each(BAD)("refuses the monolith %j", (name) => {
    const [line] = problemsOf(`henge: 1\nname: ${JSON.stringify(name)}\nroot: host`);
    expect(line).toMatch(`2:7 name: ${NAME}, got the string `);
  });

  it.each(["volumes", "images", "cells", "units"])("refuses all of them among %s", (field) => {
    const entries = BAD.map((name) => `${JSON.stringify(name)}: x`).join(", ");
    const lines = problemsOf(`${HEAD}${field}: { ${entries} }`);
    expect(lines.filter((line) => line.includes(NAME))).toHaveLength(BAD.length);
  });

  it("refuses NUL in a name without showing it raw", () => {
    expect(problemsOf('henge: 1\nname: "a\\0b"\nroot: host')).toEqual([
      `2:7 name: ${NAME}, got the string "a\\u0000b"`,
    ]);
  });

  it("suggests small letters", () => {
    expect(problemsOf("henge: 1\nname: Shop\nroot: host")).toEqual([
      `2:7 name: ${NAME}, got the string "Shop"; did you mean "shop"?`,
    ]);
  });
});

describe("publish", () => {
  it("reads both forms, unquoted too", () => {
    expect(parseCell("publish: [3000:80, 0.0.0.0:443:8443]").publish).toEqual([
      { hostAddress: "127.0.0.1", hostPort: 3000, cellPort: 80 },
      { hostAddress: "0.0.0.0", hostPort: 443, cellPort: 8443 },
    ]);
  });

  it.each([
    "0:1",
    "1:0",
    "65536:1",
    "1:65536",
    "80",
    "a:1",
    "1.2.3:1:1",
    "256.0.0.1:1:1",
    "1:1:1:1",
    "::1:1:1",
  ])("refuses %s", (port) => {
    const [line] = problemsOf(`${HEAD}publish: ["${port}"]`);
    expect(line).toBe(
      "4:11 publish[0]: expected HOSTPORT:CELLPORT or IPV4-ADDRESS:HOSTPORT:CELLPORT " +
        `with ports from 1 to 65535, got the string "${port}"`,
    );
  });
});
