// The main job, as a person would do it: a real monolith from its manifest, used through its web pages, restarted,
// and its daemon killed. The tests of this file go on from one another.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, expect, it } from "vitest";

import { underLoad } from "../../bench/load.js";
import { TestDaemon } from "../fixture/daemon.js";
import { CELLS, Redmine, UNITS } from "../fixture/redmine.js";

const EXAMPLE = fileURLToPath(new URL("../../examples/redmine/henge.yaml", import.meta.url));
const IMAGE = fileURLToPath(new URL("../../dist/redmine.tar", import.meta.url));
const PORT = 13_000;
const SITE = `http://127.0.0.1:${String(PORT)}`;

let daemon: TestDaemon;
let manifest: string;
const redmine = new Redmine({
  must: (...words) => daemon.must(...words),
  site: () => Promise.resolve(SITE),
  deadlineMs: 30_000,
});

beforeAll(async () => {
  daemon = await TestDaemon.start();
  // Another port than the example's, so that a Redmine that runs on this host is left alone.
  const text = (await readFile(EXAMPLE, "utf8")).replace(
    "127.0.0.1:3000:3000",
    `127.0.0.1:${String(PORT)}:3000`,
  );
  manifest = join(daemon.root, "redmine.yaml");
  await writeFile(manifest, text.replace("../../dist/redmine.tar", IMAGE));
});

afterAll(async () => {
  await daemon.remove();
});

it("brings the monolith up from its manifest and waits until it is ready", async () => {
  await daemon.must("up", manifest);
  const cells = await redmine.cells();
  expect(cells.map(({ cell, state }) => `${cell} ${state}`)).toEqual(CELLS);
  const units = cells.flatMap(({ units: found }) => found);
  expect(units.map(({ name, state }) => `${name} ${state}`).sort()).toEqual(UNITS);
  expect(await (await redmine.get("/login")).text()).toContain('id="login-form"');
});

it("plans nothing and changes nothing when it is applied again", async () => {
  const before = await redmine.pids();
  expect(
    JSON.parse(await daemon.must("plan", "--allow-missing-controllers", manifest, "-o", "json")),
  ).toMatchObject({
    steps: [],
  });
  await daemon.must("up", manifest);
  expect(await redmine.pids()).toEqual(before);
});

it("counts its connections, and runs a one-off within them as web would", async () => {
  const { budgets } = JSON.parse(
    await daemon.must("plan", "--allow-missing-controllers", manifest, "-o", "json"),
  ) as {
    budgets: readonly {
      readonly budget: string;
      readonly doubled: number;
      readonly limit: number;
    }[];
  };
  const [connections] = budgets;
  expect(connections).toMatchObject({ budget: "postgres-connections", limit: 100 });
  expect(connections?.doubled).toBeLessThanOrEqual(100);
  const script = "puts [User.count > 0, Process.euid, Dir.pwd].join(' ')";
  const run = await daemon.henge(
    "run",
    "redmine/web",
    "--",
    "bundle",
    "exec",
    "rails",
    "runner",
    script,
  );
  expect(run).toMatchObject({ exit: 0 });
  expect(run.stdout).toMatch(/^true [1-9][0-9]* \/usr\/share\/redmine$/m);
});

it("has in PostgreSQL what a form posted to the web has entered", async () => {
  await redmine.logIn();
  expect(await redmine.projects()).toBe("");
  await redmine.addProject("bridge");
  expect(await redmine.projects()).toBe("bridge");
});

it("performs a job that a form posted to the web has enqueued", async () => {
  expect(await redmine.mails()).toEqual([]);
  await redmine.askForPassword("admin@example.net");
  const seen = await redmine.eventually(
    () => redmine.mails(),
    (names) => names.length > 0,
  );
  expect(seen).toEqual(["admin@example.net"]);
});

it("keeps its rows, and who was logged in, over a restart of every cell", async () => {
  const before = await redmine.pids();
  for (const cell of ["web", "sidekiq", "redis", "postgres"])
    await daemon.must("restart", `redmine/${cell}`);
  const after = await redmine.pids();
  for (const unit of ["web:puma", "sidekiq:sidekiq", "redis:redis", "postgres:postgres"]) {
    expect(after[`redmine/${unit}`], unit).not.toBe(before[`redmine/${unit}`]);
  }
  expect(await redmine.projects()).toBe("bridge");
  const log = await daemon.must("logs", "redmine/postgres:postgres");
  expect(log).toContain("database system is shut down");
  expect(log).not.toContain("was not properly shut down");
  await redmine.eventually(
    () => redmine.isLoggedIn(),
    (is) => is,
  );
});

it("fails no request while its web is restarted, and goes from one run to the next", async () => {
  const before = await redmine.pids();
  const load = { url: `${SITE}/login`, perSecond: 5, aroundMs: 2_000 };
  const { requests, failures } = await underLoad(load, () => daemon.must("restart", "redmine/web"));
  expect(failures).toEqual([]);
  expect(requests).toBeGreaterThan(20);
  const after = await redmine.pids();
  expect(after["redmine/web:puma"]).not.toBe(before["redmine/web:puma"]);
  const events = await daemon.must("events", "redmine/web", "-o", "json");
  const last = events.trim().split("\n").slice(-6).join("\n");
  expect(last).toContain("hand-over");
  expect(last.indexOf("took over")).toBeLessThan(last.indexOf("unit-exit"));
});

it("never has two runs of Sidekiq: the old one is gone before the new one is started", async () => {
  await daemon.must("restart", "redmine/sidekiq");
  const events = await daemon.must("events", "redmine/sidekiq", "-o", "json");
  const kinds = events
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { kind: string; state?: string; step?: string })
    .map(({ kind, state }) => (kind === "unit-state" ? state : kind))
    .filter((word) => word === "starting" || word === "unit-exit");
  expect(kinds.slice(-2)).toEqual(["unit-exit", "starting"]);
});

it("survives a kill -9 of the daemon: same processes, same row, nothing restarted", async () => {
  const before = await redmine.pids();
  await daemon.kill("SIGKILL");
  expect(await redmine.isLoggedIn()).toBe(true);
  await daemon.begin();
  expect(await redmine.pids()).toEqual(before);
  expect(
    JSON.parse(await daemon.must("plan", "--allow-missing-controllers", manifest, "-o", "json")),
  ).toMatchObject({
    steps: [],
  });
  expect(await redmine.projects()).toBe("bridge");
  await redmine.addProject("moat");
  expect(await redmine.projects()).toBe("bridge\nmoat");
});

it("shows web as degraded while PostgreSQL is stopped, restarts nothing for it, and is well again with it", async () => {
  const before = await redmine.pids();
  await daemon.must("stop", "redmine/postgres");
  const puma = await daemon.until(
    "redmine/web",
    "puma",
    ({ state }) => state === "degraded",
    90_000,
  );
  expect(puma).toMatchObject({ ready: false, pid: before["redmine/web:puma"] });
  expect(await daemon.must("get", "redmine/web")).toContain(
    "http probe: status 500 of /login while redmine/postgres:postgres is not up",
  );
  await daemon.must("start", "redmine/postgres");
  await daemon.until("redmine/web", "puma", ({ state }) => state === "running");
  const after = await redmine.pids();
  expect(after).toEqual({
    ...before,
    "redmine/postgres:postgres": after["redmine/postgres:postgres"],
  });
  expect(await redmine.projects()).toBe("bridge\nmoat");
});

it("keeps its data when it goes down, and has it when it is up again", async () => {
  await daemon.must("down", "redmine");
  expect(await daemon.ps()).toEqual([]);
  await expect(fetch(`${SITE}/login`)).rejects.toThrow();
  await daemon.must("up", manifest);
  expect(await redmine.projects()).toBe("bridge\nmoat");
  expect(await redmine.isLoggedIn()).toBe(true);
});

it("goes back to a snapshot, with the session and the rows of then, and starts a clone of it beside", async () => {
  await daemon.must("snapshot", "redmine", "--name", "moated");
  await redmine.addProject("mistake");
  const made = JSON.parse(
    await daemon.must("clone", "redmine", "moated", "copy", "-o", "json"),
  ) as {
    publish: { hostPort: number }[];
  };
  const port = made.publish[0]?.hostPort ?? 0;
  expect(port).toBeGreaterThan(PORT);
  expect((await fetch(`http://127.0.0.1:${String(port)}/login`)).status).toBe(200);
  const out = ["/usr/bin/timeout", "5", "/bin/bash", "-c", "exec 3<>/dev/tcp/192.0.2.1/80"];
  expect((await daemon.henge("exec", "copy/web", "--", ...out)).exit).toBe(1);
  await daemon.must("down", "copy", "--destroy-data", "--yes-destroy", "copy");
  const running = await daemon.henge("rollback", "redmine", "moated", "--yes", "moated");
  expect(running.stderr).toContain("is running");
  expect(await redmine.projects()).toBe("bridge\nmistake\nmoat");
  await daemon.must("stop", "redmine");
  await daemon.must("rollback", "redmine", "moated", "--yes", "moated");
  await daemon.must("start", "redmine");
  expect(await redmine.projects()).toBe("bridge\nmoat");
  expect(await redmine.isLoggedIn()).toBe(true);
});

it("is upgraded cell by cell, and is back on the old code when the new does not come up", async () => {
  const before = await redmine.pids();
  const text = await readFile(manifest, "utf8");
  const next = join(daemon.root, "next.yaml");
  const newer = text.replace('MAX_THREADS: "5"', 'MAX_THREADS: "4"');
  await writeFile(next, newer);
  const load = { url: `${SITE}/login`, perSecond: 5, aroundMs: 1_000 };
  const { failures } = await underLoad(load, () => daemon.must("upgrade", next));
  expect(failures).toEqual([]);
  const after = await redmine.pids();
  expect(after["redmine/web:puma"]).not.toBe(before["redmine/web:puma"]);
  expect(after["redmine/postgres:postgres"]).toBe(before["redmine/postgres:postgres"]);
  await writeFile(
    next,
    newer.replace("            mailers,\n", "            mailers,\n            --nonsense,\n"),
  );
  const refused = await daemon.henge("upgrade", next);
  expect(refused.stderr).toContain("it is back on what ran before");
  await writeFile(next, newer);
  expect(
    JSON.parse(await daemon.must("plan", "--allow-missing-controllers", next, "-o", "json")),
  ).toMatchObject({ steps: [] });
  expect(await redmine.projects()).toBe("bridge\nmoat");
});

it("destroys data only when the monolith's name is given", async () => {
  const refused = await daemon.henge("down", "redmine", "--destroy-data", "--yes-destroy", "shop");
  expect(refused.exit).toBe(64);
  expect(await redmine.projects()).toBe("bridge\nmoat");
  await daemon.must("down", "redmine", "--destroy-data", "--yes-destroy", "redmine");
  await daemon.must("up", manifest);
  expect(await redmine.projects()).toBe("");
});
