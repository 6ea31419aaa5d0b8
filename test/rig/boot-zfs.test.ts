// A monolith whose volume is on a ZFS pool through a power-off: its cells let go of the dataset before the pool's units
// stop, and start by themselves once the next boot has imported the pool.

import { describe, expect, it } from "vitest";

import { useHost } from "./fixture.js";
import { deedsOfSystemd, keepJournal } from "./journal.js";
import { installUnits, startUnits, untilUp, upFromText } from "./units.js";

const STEP_MS = 600_000;
const OFF_SECONDS = 240;
const MANIFEST = `
henge: 1
name: shop
root: host
network: host
volumes: { data: {} }
cells:
  db:
    mounts: [{ volume: data, path: /srv }]
    units:
      ledger:
        argv: [/bin/sh, -c, "trap 'echo stopped >>/srv/ledger; exit 0' TERM; echo started >>/srv/ledger; sleep infinity & wait"]
        stop: [TERM, 60s]
`;

const host = useHost({ prepare });

async function prepare(): Promise<void> {
  // The image masks it for the sake of faster boots; zfs-import-cache.service requires it.
  await host.must("rm /etc/systemd/system/systemd-udev-settle.service");
  await host.must("zpool create -O mountpoint=none tank /dev/vdb");
  await installUnits(host);
  await host.must(`echo 'HENGED_OPTIONS="--zfs tank/henge"' >/etc/default/henged`);
  await startUnits(host);
  await upFromText(host, MANIFEST);
  await keepJournal(host);
}

describe("a host with a ZFS pool that is powered off and on", () => {
  it(
    "has its cells ended while their dataset is there, and up again by itself",
    async () => {
      await host.run("systemctl poweroff");
      await host.waitOff(OFF_SECONDS);
      await host.again();
      await untilUp(host, ["ledger running"]);
      const ledger = await host.mustHenge("exec", "shop/db", "--", "/bin/cat", "/srv/ledger");
      expect(ledger).toBe("started\nstopped\nstarted\n");
      const ours = /^(?:(?:henge-monoliths|henged|henge-cells)\.service|zfs\.target)$/;
      const stopped = await deedsOfSystemd(host, "last", /^Stopped(?: target)?$/, ours);
      expect(stopped).toEqual([
        ...["Stopped henge-monoliths.service", "Stopped henged.service"],
        ...["Stopped henge-cells.service", "Stopped target zfs.target"],
      ]);
      const begun = /^(?:Started|Finished|Reached target)$/;
      const theirs =
        /^(?:zfs-import-cache\.service|zfs\.target|henge-cells\.service|henged\.service)$/;
      expect(await deedsOfSystemd(host, "this", begun, theirs)).toEqual([
        ...["Finished zfs-import-cache.service", "Reached target zfs.target"],
        ...["Started henge-cells.service", "Started henged.service"],
      ]);
    },
    STEP_MS,
  );
});
