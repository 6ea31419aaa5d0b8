// The monolith of test/e2e on a ZFS pool, with every controller: examples/redmine as it is. The tests of this file go on
// from one another. Natively more is restarted; here a start of Rails takes a minute.

import { expect, it } from "vitest";

import { CELLS, Redmine, UNITS } from "../fixture/redmine.js";
import { startHenged } from "./daemon.js";
import { useHost } from "./fixture.js";

const TOP = "tank/henge";
const MANIFEST = "/srv/henge/examples/redmine/henge.yaml";
const DEADLINE_MS = 120_000;
const UP_DEADLINE_MS = 900_000;

const host = useHost({ prepare });
const redmine = new Redmine({
  must: (...words) => host.mustHenge(...words),
  site: async () => `http://127.0.0.1:${String(await host.forwardPort(3000))}`,
  deadlineMs: DEADLINE_MS,
});

/** In the guest: the manifest's archive is a file there. */
function hengeWithFile(...words: readonly string[]): Promise<string> {
  return host.must(`node /srv/henge/dist/src/cli/main.js ${words.join(" ")}`, {
    deadlineMs: UP_DEADLINE_MS,
  });
}

/** Of each dataset below `parent`, what ZFS says of a property. */
async function properties(parent: string, ...names: readonly string[]): Promise<string[]> {
  const all = await host.must(`zfs get -Hp -r -o name,value ${names.join(",")} ${parent}`);
  return all
    .trim()
    .split("\n")
    .filter((line) => !line.startsWith(`${parent}\t`))
    .map((line) => line.slice(parent.length + 1));
}

async function prepare(): Promise<void> {
  await host.must("zpool create -O mountpoint=none tank /dev/vdb");
  await startHenged(host, "--zfs", TOP);
}

it("brings the monolith up from its manifest and waits until it is ready", async () => {
  await hengeWithFile("up", MANIFEST);
  const cells = await redmine.cells();
  expect(cells.map(({ cell, state }) => `${cell} ${state}`)).toEqual(CELLS);
  const units = cells.flatMap(({ units: found }) => found);
  expect(units.map(({ name, state }) => `${name} ${state}`).sort()).toEqual(UNITS);
  expect(await (await redmine.get("/login")).text()).toContain('id="login-form"');
});

it("keeps every volume on a dataset of its own, mounted in its cells alone", async () => {
  const parent = `${TOP}/volumes/redmine`;
  expect(await properties(parent, "refquota")).toEqual([
    `files\t${String(8 * 2 ** 30)}`,
    `mails\t${String(256 * 2 ** 20)}`,
    `postgres\t${String(8 * 2 ** 30)}`,
    `redis\t${String(2 * 2 ** 30)}`,
    `secret\t${String(64 * 2 ** 20)}`,
  ]);
  for (const [name, value] of [
    ["canmount", "noauto"],
    ["mountpoint", "legacy"],
    ["setuid", "off"],
    ["devices", "off"],
    ["mounted", "no"],
  ] as const)
    expect([
      name,
      ...new Set((await properties(parent, name)).map((line) => line.split("\t")[1])),
    ]).toEqual([name, value]);
  expect(await host.run("grep ' zfs ' /proc/mounts")).toMatchObject({ code: 1, stdout: "" });
  const mounts = await host.mustHenge(
    "exec",
    "redmine/redis",
    "--",
    "/bin/grep",
    " zfs ",
    "/proc/self/mounts",
  );
  const seen = mounts.trim().split("\n").sort();
  expect(seen).toEqual([
    expect.stringMatching(/^tank\/henge\/images\/redmine\.\w+ \/ zfs ro,nosuid,nodev,/),
    expect.stringMatching(
      /^tank\/henge\/volumes\/redmine\/redis \/var\/lib\/redis zfs rw,nosuid,nodev,/,
    ),
  ]);
});

it("plans nothing when it is applied again", async () => {
  expect(JSON.parse(await hengeWithFile("plan", MANIFEST, "-o", "json"))).toMatchObject({
    steps: [],
  });
});

it("has in PostgreSQL what a form posted to the web has entered", async () => {
  await redmine.logIn();
  await redmine.addProject("bridge");
  expect(await redmine.projects()).toBe("bridge");
});

it("performs a job that a form posted to the web has enqueued", async () => {
  expect(await redmine.mails()).toEqual([]);
  await redmine.askForPassword("admin@example.net");
  expect(
    await redmine.eventually(redmine.mails.bind(redmine), (names) => names.length > 0),
  ).toEqual(["admin@example.net"]);
});

it("survives a kill -9 of the daemon: same processes, nothing planned", async () => {
  const before = await redmine.pids();
  await host.must("systemctl kill --kill-whom=main --signal=KILL henged");
  expect(await redmine.isLoggedIn()).toBe(true);
  await startHenged(host, "--zfs", TOP);
  expect(await redmine.pids()).toEqual(before);
  expect(JSON.parse(await hengeWithFile("plan", MANIFEST, "-o", "json"))).toMatchObject({
    steps: [],
  });
});

it("keeps a row over a restart of the cells behind the web", async () => {
  const before = await redmine.pids();
  for (const cell of ["sidekiq", "redis", "postgres"])
    await host.mustHenge("restart", `redmine/${cell}`);
  const after = await redmine.pids();
  for (const unit of ["sidekiq:sidekiq", "redis:redis", "postgres:postgres"]) {
    expect(after[`redmine/${unit}`], unit).not.toBe(before[`redmine/${unit}`]);
  }
  expect(after["redmine/web:puma"]).toBe(before["redmine/web:puma"]);
  expect(await redmine.projects()).toBe("bridge");
  const log = await host.mustHenge("logs", "redmine/postgres:postgres");
  expect(log).toContain("database system is shut down");
  expect(log).not.toContain("was not properly shut down");
  await redmine.eventually(
    () => redmine.isLoggedIn(),
    (is) => is,
  );
});

it("keeps its data when it goes down, and has it when it is up again", async () => {
  await host.mustHenge("down", "redmine");
  expect(await redmine.cells()).toEqual([]);
  await hengeWithFile("up", MANIFEST);
  expect(await redmine.projects()).toBe("bridge");
  expect(await redmine.isLoggedIn()).toBe(true);
});

it("destroys every dataset of it when its data are to be destroyed", async () => {
  await host.mustHenge("down", "redmine", "--destroy-data", "--yes-destroy", "redmine");
  expect(await properties(`${TOP}/volumes`, "type")).toEqual([]);
});
