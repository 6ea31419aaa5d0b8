// The snapshots of test/e2e on a ZFS pool, which makes one over all volumes at one instant while everything runs. Fewer:
// here a PostgreSQL takes long to start.

import { expect, it } from "vitest";

import { Ledger } from "../fixture/ledger.js";
import { startHenged } from "./daemon.js";
import { useHost } from "./fixture.js";
import { upFromText } from "./units.js";

const SNAPSHOTS = 3;

const host = useHost({ prepare });
const ledger = new Ledger({
  must: (...words) => host.mustHenge(...words),
  committed: async () => {
    const said = await host.mustHenge("logs", "ledger:writer", "--tail", "1", "-o", "json");
    return said === "" ? 0 : Number((JSON.parse(said) as { readonly text: string }).text);
  },
  snapshot: async (name) =>
    JSON.parse(await host.mustHenge("snapshot", "ledger", "--name", name, "-o", "json")) as unknown,
  clone: async (name, copy) => {
    await host.mustHenge("clone", "ledger", name, copy);
  },
  destroy: async (copy) => {
    await host.mustHenge("down", copy, "--destroy-data", "--yes-destroy", copy);
  },
  deadlineMs: 120_000,
});

async function prepare(): Promise<void> {
  await host.must("zpool create -O mountpoint=none tank /dev/vdb");
  await host.must("ln -s ../lib/postgresql/17 /usr/local/pgsql");
  await startHenged(host, "--zfs", "tank/henge");
}

it("holds, in each, what was committed before it and nothing else", async () => {
  await upFromText(host, await Ledger.manifest());
  await ledger.untilMoreThan(10);
  await ledger.takeSnapshots(SNAPSHOTS);
  await host.mustHenge("stop", "ledger");
  expect(await ledger.auditSnapshots()).toBe(SNAPSHOTS);
});
