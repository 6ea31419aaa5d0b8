// The daemon under systemd: its socket outlives it, its watchdog bites, and cells notice neither.

import { describe, expect, it } from "vitest";

import { useHost } from "./fixture.js";
import { installUnits, startUnits, upFromText } from "./units.js";

const MANIFEST = `
henge: 1
name: shop
root: host
cells:
  web:
    units:
      web: { argv: [/usr/bin/sleep, infinity] }
`;
const STEP_MS = 600_000;
const CLIENTS = 3;

const host = useHost({ prepare });

async function prepare(): Promise<void> {
  await installUnits(host);
  await startUnits(host);
  await upFromText(host, MANIFEST);
}

async function unitPid(): Promise<unknown> {
  const cells = JSON.parse(await host.mustHenge("ps", "-o", "json")) as {
    readonly units: readonly { readonly pid: number | null }[];
  }[];
  return cells.flatMap(({ units }) => units.map(({ pid }) => pid));
}

async function show(property: string): Promise<string> {
  return (await host.must(`systemctl show --property=${property} --value henged`)).trim();
}

describe("the daemon under systemd", () => {
  it(
    "is restarted while clients ask, and none is refused",
    async () => {
      const before = { daemon: await show("MainPID"), unit: await unitPid() };
      let restarting = true;
      const restarted = host.must("systemctl restart henged").finally(() => (restarting = false));
      const exits: (number | null)[] = [];
      const ask = async (): Promise<void> => {
        while (restarting) exits.push((await host.henge("version")).code);
      };
      await Promise.all([restarted, ...Array.from({ length: CLIENTS }, ask)]);
      expect(exits.length).toBeGreaterThanOrEqual(CLIENTS);
      expect(new Set(exits)).toEqual(new Set([0]));
      expect(await show("MainPID")).not.toBe(before.daemon);
      expect(await unitPid()).toEqual(before.unit);
    },
    STEP_MS,
  );

  it(
    "is started by whoever asks while it is stopped, and cells run on meanwhile",
    async () => {
      const before = await unitPid();
      await host.must("systemctl stop henged");
      expect(await show("ActiveState")).toBe("inactive");
      expect((await host.henge("version")).code).toBe(0);
      expect(await show("ActiveState")).toBe("active");
      expect(await unitPid()).toEqual(before);
    },
    STEP_MS,
  );

  it(
    "is started anew when its event loop stands still, and cells run on",
    async () => {
      const before = await unitPid();
      await host.must('kill -STOP "$(systemctl show --property=MainPID --value henged)"');
      await host.must(
        'until [ "$(systemctl show --property=NRestarts --value henged)" -gt 0 ]; do ' +
          '[ "$((waited += 1))" -lt 120 ] || exit 1; sleep 1; done',
      );
      expect((await host.henge("version")).code).toBe(0);
      expect(await unitPid()).toEqual(before);
      expect(await host.must("journalctl --unit=henged --no-pager")).toContain("Watchdog timeout");
    },
    STEP_MS,
  );
});
