// A monolith with a real PostgreSQL through a reboot and a power cut: ended in order, and up again by itself.
// boot-zfs.test.ts has a power-off, and volumes on ZFS.

import { describe, expect, it } from "vitest";

import { useHost } from "./fixture.js";
import { deedsOfSystemd, keepJournal } from "./journal.js";
import { installUnits, startUnits, untilUp, upFromText } from "./units.js";

const MANIFEST = `
henge: 1
name: shop
root: host
network: own
volumes: { postgres: { quota: 700MiB } }
cells:
  db:
    mounts: [{ volume: postgres, path: /var/lib/postgresql, owner: postgres, mode: "0700" }]
    tmpfs: [/tmp]
    units:
      init:
        one-shot: true
        user: postgres
        argv:
          - /bin/sh
          - -c
          - test -s /var/lib/postgresql/data/PG_VERSION ||
            /usr/lib/postgresql/17/bin/initdb --no-sync --auth=trust -D /var/lib/postgresql/data
      postgres:
        after: [init]
        user: postgres
        argv: [/usr/lib/postgresql/17/bin/postgres, -k, /tmp, -D, /var/lib/postgresql/data]
        readiness: { tcp: 5432 }
        stop: [INT, 60s]
  web:
    units:
      web: { after: ["db:postgres"], argv: [/usr/bin/sleep, infinity], clean-exits: [TERM] }
`;
const STEP_MS = 600_000;
const OFF_SECONDS = 240;

const host = useHost({ prepare });
let logged = 0;

async function prepare(): Promise<void> {
  await installUnits(host);
  await startUnits(host);
  await upFromText(host, MANIFEST);
  await keepJournal(host);
}

interface UnitState {
  readonly kind: string;
  readonly unit: string;
  readonly state: string;
  readonly reason: string | null;
}

async function sql(text: string): Promise<string> {
  const psql = "/usr/lib/postgresql/17/bin/psql";
  const argv = [psql, "-h", "/tmp", "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-qAtc", text];
  return (await host.mustHenge("exec", "shop/db:postgres", ...argv)).trim();
}

/** What PostgreSQL has said since this was last asked. */
async function said(): Promise<string> {
  const lines = (await host.mustHenge("logs", "shop/db:postgres")).split("\n");
  const fresh = lines.slice(logged);
  logged = lines.length - 1;
  return fresh.join("\n");
}

/** Boots it again; returns when the daemon has, unasked, brought everything up. */
async function upAgain(): Promise<void> {
  await host.again();
  await untilUp(host, ["init done", "postgres running", "web running"]);
}

describe("a host that goes down and comes back", () => {
  it(
    "stops cells in order before their volumes go, and brings all up by itself",
    async () => {
      await sql(
        "create table ledger (line int); insert into ledger select generate_series(1, 1000)",
      );
      await said();
      await host.run("systemctl reboot");
      await host.waitOff(OFF_SECONDS);
      await upAgain();
      const log = await said();
      expect(log).toContain("received fast shutdown request");
      expect(log).toContain("database system is shut down");
      expect(log).toContain("database system was shut down at");
      expect(log).not.toMatch(/not properly shut down|interrupted/);
      expect(await sql("select count(*) from ledger")).toBe("1000");
      // web waits for PostgreSQL, so it is stopped first and started last.
      const lines = (await host.mustHenge("events", "-o", "json")).trim().split("\n");
      const states = lines
        .map((line) => JSON.parse(line) as UnitState)
        // One with a reason tells why the unit is still in the state it is in.
        .filter(({ kind, reason }) => kind === "unit-state" && reason === null)
        .map(({ unit, state }) => `${unit} ${state}`)
        .filter((text) => / (?:stopping|starting)$/.test(text));
      expect(states.slice(-5)).toEqual([
        ...["web stopping", "postgres stopping"],
        ...["init starting", "postgres starting", "web starting"],
      ]);
      const units = /^(?:henge-monoliths|henged|henge-cells)\.service$|^run-henge-pool\.mount$/;
      expect(await deedsOfSystemd(host, "last", /^(?:Stopped|Unmounted)$/, units)).toEqual([
        ...["Stopped henge-monoliths.service", "Stopped henged.service"],
        ...["Stopped henge-cells.service", "Unmounted run-henge-pool.mount"],
      ]);
      expect(await deedsOfSystemd(host, "this", /^(?:Started|Finished)$/, units)).toEqual([
        ...["Started henge-cells.service", "Started henged.service"],
        "Finished henge-monoliths.service",
      ]);
    },
    STEP_MS,
  );

  it(
    "keeps every acknowledged row through a power cut",
    async () => {
      await said();
      for (let line = 1001; line <= 1010; line += 1)
        await sql(`insert into ledger values (${String(line)})`);
      await host.cut();
      await upAgain();
      expect(await said()).toContain("not properly shut down");
      expect(await sql("select count(*), max(line) from ledger")).toBe("1010|1010");
    },
    STEP_MS,
  );
});
