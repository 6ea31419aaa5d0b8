import { describe, expect, it } from "vitest";

import type { Run } from "../../../src/command.js";
import { parsePoolStatus, readZfsHealth } from "../../../src/storage/zfs-health.js";

// As OpenZFS 2.3.9 prints it.
const DEGRADED = `  pool: mir
 state: DEGRADED
status: One or more devices has been taken offline by the administrator.
\tSufficient replicas exist for the pool to continue functioning in a
\tdegraded state.
action: Online the device using 'zpool online' or replace the device with
\t'zpool replace'.
  scan: scrub repaired 0B in 00:00:01 with 0 errors on Thu Nov 26 19:13:37 2026
config:

\tNAME            STATE     READ WRITE CKSUM
\tmir             DEGRADED     0     0     0
\t  mirror-0      DEGRADED     0     0     0
\t    /var/tmp/a  ONLINE       1     0    12
\t    /var/tmp/b  OFFLINE      0     0     0
\tspares
\t  vdd           AVAIL

errors: No known data errors
`;
const NEW = `  pool: tank
 state: ONLINE
config:

\tNAME        STATE     READ WRITE CKSUM
\ttank        ONLINE       0     0     0
\t  vdb       ONLINE       0     0     0

errors: No known data errors
`;

function scan(text: string) {
  return parsePoolStatus(`  scan: ${text}\n`).scrub;
}

describe("parsePoolStatus", () => {
  it("tells the devices that are not well, not what lies above them", () => {
    expect(parsePoolStatus(DEGRADED)).toEqual({
      scrub: { kind: "done", endedMs: Date.UTC(2026, 10, 26, 19, 13, 37) },
      devices: [
        { name: "/var/tmp/a", state: "ONLINE", errors: 13 },
        { name: "/var/tmp/b", state: "OFFLINE", errors: 0 },
      ],
    });
  });

  it("finds nothing wrong with a new pool, which was never scrubbed", () => {
    expect(parsePoolStatus(NEW)).toEqual({ scrub: { kind: "never" }, devices: [] });
  });

  it("knows the last scrub from a resilver, a cancelled one and one under way", () => {
    expect(scan("none requested")).toEqual({ kind: "never" });
    expect(scan("scrub in progress since Thu Nov 26 19:00:00 2026")).toEqual({ kind: "running" });
    expect(scan("scrub canceled on Thu Nov 26 19:00:00 2026")).toEqual({ kind: "unknown" });
    expect(scan("resilvered 1M in 00:00:01 with 0 errors on Thu Nov 26 19:00:00 2026")).toEqual({
      kind: "unknown",
    });
  });

  it("tells of data that are lost", () => {
    const text = NEW.replace("No known data errors", "2 data errors, use '-v' for a list");
    expect(parsePoolStatus(text).dataErrors).toBe("2 data errors, use '-v' for a list");
  });
});

describe("readZfsHealth", () => {
  const run: Run = (argv) =>
    Promise.resolve(argv[1] === "list" ? "mir\tDEGRADED\t7\ntank\tONLINE\t81\n" : NEW);

  it("reads state and fullness of the pool that is asked for", async () => {
    expect(await readZfsHealth(run, "tank")).toMatchObject({
      state: "ONLINE",
      capacityPercent: 81,
    });
  });

  it("says what to do about a pool that is not imported", async () => {
    await expect(readZfsHealth(run, "other")).rejects.toMatchObject({
      code: "WRONG_STATE",
      hint: "zpool import other",
    });
  });

  it("does not take a pool that is faulted for an empty one", async () => {
    const faulted: Run = (argv) => Promise.resolve(argv[1] === "list" ? "tank\tFAULTED\t-\n" : NEW);
    expect(await readZfsHealth(faulted, "tank")).not.toHaveProperty("capacityPercent");
  });
});
