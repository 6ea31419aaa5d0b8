// The main job, as a person would do it: a real monolith from its manifest, used through its web pages, restarted,
// and its daemon killed. The tests of this file go on from one another.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, expect, it } from "vitest";

import { TestDaemon } from "../fixture/daemon.js";

const EXAMPLE = fileURLToPath(new URL("../../examples/redmine/henge.yaml", import.meta.url));
const IMAGE = fileURLToPath(new URL("../../dist/redmine.tar", import.meta.url));
const PORT = 13_000;
const SITE = `http://127.0.0.1:${String(PORT)}`;

let daemon: TestDaemon;
let manifest: string;

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

async function pids(): Promise<Record<string, number | null>> {
  const cells = await daemon.ps();
  return Object.fromEntries(
    cells.flatMap(({ cell, units }) => units.map(({ name, pid }) => [`${cell}:${name}`, pid])),
  );
}

async function sql(statement: string): Promise<string> {
  const psql = [
    "/usr/local/pgsql/bin/psql",
    "--no-psqlrc",
    "-qtA",
    "--host=/tmp",
    "--dbname=redmine",
    "--command",
    statement,
  ];
  return (await daemon.must("exec", "redmine/postgres:postgres", "--", ...psql)).trim();
}

async function mails(): Promise<readonly string[]> {
  const names = await daemon.must(
    "exec",
    "redmine/sidekiq",
    "--",
    "/usr/bin/ls",
    "/var/lib/redmine/mails",
  );
  return names.split("\n").filter((name) => name !== "");
}

/** Fills in the form for a lost password, as a browser does it. */
async function askForPassword(mail: string): Promise<Response> {
  const page = await fetch(`${SITE}/account/lost_password`);
  const token = /name="authenticity_token" value="([^"]+)"/.exec(await page.text())?.[1];
  if (token === undefined) throw new Error("the form has no token");
  const cookie = page.headers
    .getSetCookie()
    .map((one) => one.split(";")[0])
    .join("; ");
  return fetch(`${SITE}/account/lost_password`, {
    method: "POST",
    redirect: "manual",
    headers: { cookie, "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ authenticity_token: token, mail }),
  });
}

async function eventually<T>(
  read: () => Promise<T>,
  isSo: (seen: T) => boolean,
  deadlineMs = 30_000,
): Promise<T> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const seen = await read();
    if (isSo(seen)) return seen;
    if (Date.now() > deadline) throw new Error(`still ${JSON.stringify(seen)}`);
    await delay(250);
  }
}

it("brings the monolith up from its manifest and waits until it is ready", async () => {
  await daemon.must("up", manifest);
  const cells = await daemon.ps();
  expect(cells.map(({ cell, state }) => `${cell} ${state}`)).toEqual([
    "redmine running",
    "redmine/postgres running",
    "redmine/redis running",
    "redmine/migrate running",
    "redmine/web running",
    "redmine/sidekiq running",
  ]);
  const units = cells.flatMap(({ units: found }) => found);
  expect(units.map(({ name, state }) => `${name} ${state}`).sort()).toEqual([
    "createdb done",
    "initdb done",
    "migrate done",
    "postgres running",
    "puma running",
    "redis running",
    "secret done",
    "sidekiq running",
  ]);
  expect(await (await fetch(`${SITE}/login`)).text()).toContain('id="login-form"');
});

it("plans nothing and changes nothing when it is applied again", async () => {
  const before = await pids();
  expect(JSON.parse(await daemon.must("plan", manifest, "-o", "json"))).toEqual({ steps: [] });
  await daemon.must("up", manifest);
  expect(await pids()).toEqual(before);
});

it("performs a job that a form posted to the web has enqueued", async () => {
  expect(await mails()).toEqual([]);
  expect((await askForPassword("admin@example.net")).status).toBe(302);
  expect(await eventually(mails, (names) => names.length > 0)).toEqual(["admin@example.net"]);
});

it("keeps a row over a restart of every cell", async () => {
  await sql("CREATE TABLE ledger (id integer PRIMARY KEY); INSERT INTO ledger VALUES (1)");
  const before = await pids();
  for (const cell of ["web", "sidekiq", "redis", "postgres"])
    await daemon.must("restart", `redmine/${cell}`);
  const after = await pids();
  for (const unit of ["web:puma", "sidekiq:sidekiq", "redis:redis", "postgres:postgres"]) {
    expect(after[`redmine/${unit}`], unit).not.toBe(before[`redmine/${unit}`]);
  }
  expect(await sql("SELECT count(*) FROM ledger")).toBe("1");
  const log = await daemon.must("logs", "redmine/postgres:postgres");
  expect(log).toContain("database system is shut down");
  expect(log).not.toContain("was not properly shut down");
  await eventually(
    () => fetch(`${SITE}/login`),
    ({ status }) => status === 200,
  );
});

it("survives a kill -9 of the daemon: same processes, same row, nothing restarted", async () => {
  const before = await pids();
  await daemon.kill("SIGKILL");
  expect((await fetch(`${SITE}/login`)).status).toBe(200);
  await daemon.begin();
  expect(await pids()).toEqual(before);
  expect(JSON.parse(await daemon.must("plan", manifest, "-o", "json"))).toEqual({ steps: [] });
  expect(await sql("SELECT count(*) FROM ledger")).toBe("1");
  expect((await askForPassword("admin@example.net")).status).toBe(302);
});

it("keeps its data when it goes down, and has it when it is up again", async () => {
  await daemon.must("down", "redmine");
  expect(await daemon.ps()).toEqual([]);
  await expect(fetch(`${SITE}/login`)).rejects.toThrow();
  await daemon.must("up", manifest);
  expect(await sql("SELECT count(*) FROM ledger")).toBe("1");
});

it("destroys data only when the monolith's name is given", async () => {
  const refused = await daemon.henge("down", "redmine", "--destroy-data", "--yes-destroy", "shop");
  expect(refused.exit).toBe(64);
  expect(await sql("SELECT count(*) FROM ledger")).toBe("1");
  await daemon.must("down", "redmine", "--destroy-data", "--yes-destroy", "redmine");
  await daemon.must("up", manifest);
  const gone = await daemon.henge(
    "exec",
    "redmine/postgres:postgres",
    "--",
    "/usr/local/pgsql/bin/psql",
    "-qtA",
    "--host=/tmp",
    "--dbname=redmine",
    "--command",
    "SELECT count(*) FROM ledger",
  );
  expect(gone.stderr).toContain('relation "ledger" does not exist');
});
