import { describe, expect, it } from "vitest";

import { HEAD, parse, problemsOf } from "./fixture.js";

describe("all at once", () => {
  it("reports YAML, fields and rules together, in the order of the lines", () => {
    const text = `henge: 1
name: Shop
name: shop
root: { image: debain }
images: { debian: { archive: a.tar } }
units:
  web: { argv: [/bin/web], after: [dbb], stp: [TERM] }
  db: { argv: [], after: [web, db] }
`;
    expect(
      problemsOf(text).map((line) => line.split(":").slice(0, 3).join(":").slice(0, 40)),
    ).toEqual(
      [
        "2:7 name: expected a name of at most 31 c",
        '3:1 name: duplicate key "name" (first at l',
        '4:16 root.image: no image "debain" is decl',
        '7:36 units.web.after[0]: no unit "dbb"; did',
        '7:42 units.web.stp: unknown field "stp"; did',
        "8:15 units.db.argv: expected a list of str",
        "8:32 units.db.after[1]: a unit cannot wait ",
      ].map((line) => line.slice(0, 40)),
    );
  });
});

describe("depth", () => {
  it("takes four labels and refuses the fifth once", () => {
    const nest = (inner: string) =>
      `${HEAD}cells: { a: { cells: { b: { cells: { c: ${inner} } } } } }`;
    expect(problemsOf(nest("{}"))).toEqual([]);
    expect(problemsOf(nest("{ cells: { d: { cells: { e: {} } } } }"))).toEqual([
      "4:52 cells.a.cells.b.cells.c.cells.d: cells nest at most 4 deep, the root cell included",
    ]);
  });
});

describe("names", () => {
  it("refuses a unit called like a nested cell of its cell", () => {
    expect(problemsOf(`${HEAD}units: { web: { argv: [/a] } }\ncells: { web: {} }`)).toEqual([
      '4:10 units.web: a nested cell is called "web" already',
    ]);
  });

  it("takes a unit called like its own cell", () => {
    expect(problemsOf(`${HEAD}cells: { web: { units: { web: { argv: [/a] } } } }`)).toEqual([]);
  });
});

describe("after", () => {
  const units = (...fields: readonly string[]): string =>
    `${HEAD}units:\n${fields.map((field) => `  ${field}\n`).join("")}`;

  it("reads units beside, in other cells and in the root cell", () => {
    const { cells } = parse(`${HEAD}units: { setup: { argv: [/a] } }
cells:
  db: { cells: { main: { units: { pg: { argv: [/a], after: [".:setup"] } } } } }
  web:
    units:
      one: { argv: [/a] }
      two: { argv: [/a], after: [one, db/main:pg] }
`);
    expect(cells.flatMap((cell) => cell.units.flatMap(({ after }) => after))).toEqual([
      { cell: "shop", unit: "setup" },
      { cell: "shop/web", unit: "one" },
      { cell: "shop/db/main", unit: "pg" },
    ]);
  });

  it("refuses a unit that is not there and names the nearest", () => {
    expect(problemsOf(units("db: { argv: [/a] }", "web: { argv: [/a], after: [dv] }"))).toEqual([
      '6:30 units.web.after[0]: no unit "dv"; did you mean "db"?',
    ]);
  });

  it("names the cell of a unit that is in another", () => {
    const text = `${HEAD}cells: { db: { units: { pg: { argv: [/a] } } } }
units: { web: { argv: [/a], after: [pg] } }`;
    expect(problemsOf(text)).toEqual([
      '5:37 units.web.after[0]: no unit "pg"; did you mean "db:pg"?',
    ]);
  });

  it("refuses a unit that waits for itself, by either form of its name", () => {
    expect(problemsOf(units("web: { argv: [/a], after: [web] }"))).toEqual([
      "5:30 units.web.after[0]: a unit cannot wait for itself",
    ]);
    expect(problemsOf(units('web: { argv: [/a], after: [".:web"] }'))).toEqual([
      "5:30 units.web.after[0]: a unit cannot wait for itself",
    ]);
  });

  it("shows a cycle as it goes round", () => {
    expect(
      problemsOf(units("web: { argv: [/a], after: [db] }", "db: { argv: [/a], after: [web] }")),
    ).toEqual(["6:29 units.db.after[0]: dependency cycle web → db → web"]);
  });

  it("finds a cycle through several cells", () => {
    const text = `${HEAD}cells:
  db: { units: { pg: { argv: [/a], after: ["web:puma"] } } }
  web: { units: { puma: { argv: [/a], after: ["db:pg"] } } }
`;
    expect(problemsOf(text)).toEqual([
      "6:47 cells.web.units.puma.after[0]: dependency cycle db:pg → web:puma → db:pg",
    ]);
  });

  it("reports two separate cycles, and none for a diamond", () => {
    const two = ["a: { argv: [/a], after: [b] }", "b: { argv: [/a], after: [a] }"];
    const more = ["c: { argv: [/a], after: [d] }", "d: { argv: [/a], after: [c] }"];
    expect(problemsOf(units(...two, ...more))).toHaveLength(2);
    const diamond = [
      "a: { argv: [/a] }",
      "b: { argv: [/a], after: [a] }",
      "c: { argv: [/a], after: [a] }",
    ];
    expect(problemsOf(units(...diamond, "d: { argv: [/a], after: [b, c] }"))).toEqual([]);
  });

  it("shortens a long cycle", () => {
    const count = 40;
    const ring = Array.from(
      { length: count },
      (_, index) => `u${String(index)}: { argv: [/a], after: [u${String((index + 1) % count)}] }`,
    );
    expect(problemsOf(units(...ring))).toEqual([
      "44:30 units.u39.after[0]: dependency cycle u0 → u1 → u2 → u3 → u4 → u5 → u6 → u7 → u8 → u9 → u10 → … → u0",
    ]);
  });

  it.each(["a b", "A", "a:b:c", ":a", "a:", "../a:b", "/a:b", "a/b/c/d:e"])(
    "refuses the form %j",
    (text) => {
      const lines = problemsOf(units(`web: { argv: [/a], after: [${JSON.stringify(text)}] }`));
      expect(lines).toEqual([
        "5:30 units.web.after[0]: expected UNIT, CELL:UNIT with the cell's path below the root cell, " +
          `or .:UNIT for one of the root cell, got the string ${JSON.stringify(text)}`,
      ]);
    },
  );
});

describe("one-shots", () => {
  const oneShot = (fields: string): string =>
    `${HEAD}units: { a: { argv: [/a], one-shot: true, ${fields} } }`;

  it.each(["readiness: notify", "liveness: { tcp: 1 }"])("refuses %s", (field) => {
    const name = field.slice(0, field.indexOf(":"));
    expect(problemsOf(oneShot(field))).toEqual([
      `4:43 units.a.${name}: a one-shot has no probes: it is done when it has ended clean`,
    ]);
  });

  it("refuses to restart one always", () => {
    expect(problemsOf(oneShot("restart: always"))).toEqual([
      "4:52 units.a.restart: a one-shot is restarted on-failure or never",
    ]);
    expect(problemsOf(oneShot("restart: { policy: always }"))).toEqual([
      "4:62 units.a.restart.policy: a one-shot is restarted on-failure or never",
    ]);
    expect(problemsOf(oneShot("restart: on-failure"))).toEqual([]);
  });
});

describe("a unit that hands over", () => {
  const web = (fields: string): string =>
    `${HEAD}units: { a: { argv: [/a], handover: true${fields} } }`;

  it("needs a socket to hand over", () => {
    expect(problemsOf(web(", readiness: notify"))).toEqual([
      "4:27 units.a.handover: a unit hands over its sockets: it needs at least one under listen",
    ]);
  });

  it.each(["", ", readiness: none", ", readiness: { tcp: 80 }"])(
    "is not believed to be ready with%s",
    (readiness) => {
      expect(problemsOf(web(`, listen: { web: "0.0.0.0:80" }${readiness}`))).toEqual([
        "4:27 units.a.handover: only readiness: notify tells of the new run, and not of the old one",
      ]);
    },
  );

  it("is no one-shot", () => {
    expect(problemsOf(web(', one-shot: true, listen: { web: "0.0.0.0:80" }'))).toEqual([
      "4:27 units.a.handover: a one-shot has nothing to hand over",
    ]);
  });

  it("is taken as it is, and one that does not is the same as before", () => {
    const fields = 'listen: { web: "0.0.0.0:80" }, readiness: notify';
    expect(problemsOf(web(`, ${fields}`))).toEqual([]);
    expect(problemsOf(`${HEAD}units: { a: { argv: [/a], handover: false } }`)).toEqual([]);
  });
});

describe("what must be declared", () => {
  it("refuses an unknown volume and names the nearest", () => {
    expect(
      problemsOf(`${HEAD}volumes: { data: {} }\nmounts: [{ volume: date, path: /a }]`),
    ).toEqual(['5:20 mounts[0].volume: no volume "date" is declared; did you mean "data"?']);
  });

  it("refuses an unknown image in a nested cell", () => {
    expect(problemsOf(`${HEAD}cells: { a: { root: { image: debian } } }`)).toEqual([
      '4:30 cells.a.root.image: no image "debian" is declared',
    ]);
  });

  it("does not take a method of objects for a declared name", () => {
    expect(problemsOf(`${HEAD}cells: { a: { root: { image: constructor } } }`)).toHaveLength(1);
  });
});

describe("places taken twice", () => {
  it("refuses two mounts of any kind on one path of one cell", () => {
    const text = `${HEAD}volumes: { a: {} }
mounts: [{ volume: a, path: /x }, { volume: a, path: /y }]
tmpfs: [/x]
files: [{ source: /etc/a, path: /y }]
cells: { b: { tmpfs: [/x] } }
`;
    expect(problemsOf(text)).toEqual([
      '6:9 tmpfs[0]: something is mounted on "/x" already',
      '7:33 files[0].path: something is mounted on "/y" already',
    ]);
  });

  it("refuses a port published twice", () => {
    expect(problemsOf(`${HEAD}publish: ["80:1", "127.0.0.1:80:2", "10.0.0.1:80:1"]`)).toEqual([
      "4:19 publish[1]: port 80 is published already",
    ]);
    expect(problemsOf(`${HEAD}publish: ["80:1", "0.0.0.0:80:1"]`)).toHaveLength(1);
  });

  it("refuses to publish from the host's own network", () => {
    expect(problemsOf(`${HEAD}network: host\npublish: ["80:1"]`)).toEqual([
      "5:1 publish: ports are published only with network: own",
    ]);
  });

  it("refuses two units on one socket, for cells of a monolith share their network", () => {
    const text = `${HEAD}units: { a: { argv: [/a], listen: { web: "127.0.0.1:80" } } }
cells: { b: { units: { c: { argv: [/a], listen: { web: "0.0.0.0:80" } } } } }
`;
    expect(problemsOf(text)).toEqual([
      "5:56 cells.b.units.c.listen.web: port 80 is listened on already",
    ]);
  });
});

describe("stale sockets", () => {
  const cell = (mounts: string, path: string): string =>
    `${HEAD}volumes: { data: {} }\n${mounts}units: { web: { argv: [/a], stale-sockets: [${path}] } }\n`;

  it.each([
    ["", "/run/web.sock"],
    ["", "/tmp/web/web.sock"],
    ["tmpfs: [/srv]\n", "/srv/web.sock"],
    ["mounts: [{ volume: data, path: /srv }]\n", "/srv/web.sock"],
    ["mounts: [{ volume: data, path: /srv, read-only: true }]\ntmpfs: [/srv/s]\n", "/srv/s/x"],
  ])("are taken where the cell can write: %j", (mounts, path) => {
    expect(parse(cell(mounts, path)).cells[0]?.units[0]?.staleSockets).toEqual([path]);
  });

  it.each([
    ["", "/srv/web.sock"],
    ["", "/run"],
    ["tmpfs: [/srv]\n", "/srvs/web.sock"],
    ["mounts: [{ volume: data, path: /srv, read-only: true }]\n", "/srv/web.sock"],
    ["mounts: [{ volume: data, path: /run, read-only: true }]\n", "/run/web.sock"],
  ])("are refused elsewhere: %j, %s", (mounts, path) => {
    const problems = problemsOf(cell(mounts, path));
    expect(problems.map((line) => line.replace(/^\d+:\d+ /, ""))).toEqual([
      `units.web.stale-sockets[0]: no volume or tmpfs the cell can write is mounted above "${path}"`,
    ]);
  });

  it("are absolute paths without detours", () => {
    for (const path of ["web.sock", "/run/../etc/x", "/run/web.sock/"])
      expect(problemsOf(cell("", path))[0]).toContain("expected an absolute path");
  });
});
