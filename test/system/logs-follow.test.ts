// `henge logs -f` over a daemon that is killed and started anew.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { afterAll, beforeAll, expect, it } from "vitest";

import { Screen, henge } from "../fixture/cli.js";
import { TestDaemon } from "../fixture/daemon.js";

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await TestDaemon.start("--pool-size", "1");
});

afterAll(async () => {
  await daemon.remove();
});

it("has every line once and in order, however often the daemon ends meanwhile", async () => {
  const file = join(daemon.root, "talk.yaml");
  const count =
    "i=0; while [ $i -lt 9000 ]; do echo $((i += 1)); [ $((i % 9)) -gt 0 ] || sleep 0.01; done";
  const log = "{ max-size: 16KiB, keep: 60 }";
  await writeFile(
    file,
    `henge: 1\nname: talk\nroot: host\nnetwork: own\nunits:\n  talk: { argv: [/bin/sh, -c, '${count}; exec sleep 1000'], log: ${log} }\n`,
  );
  await daemon.must("up", file);
  const screen = new Screen();
  const follower = henge(daemon.root, ["logs", "-f", "talk"], {
    ...{ stdout: screen, env: { HENGE_PATIENCE: "5" } },
  });
  const lines = (): number => screen.text.split("\n").length;
  for (const signal of ["SIGKILL", "SIGTERM", "SIGKILL"] as const) {
    const before = lines();
    await until(() => lines() > before + 500);
    await daemon.kill(signal);
    await daemon.begin();
  }
  await until(() => screen.text.includes("talk:talk | 9000\n"));
  await daemon.kill();
  const { exit, stderr } = await follower;
  await daemon.begin();
  expect(exit).toBe(69);
  expect(stderr.split("\n").filter((line) => line.startsWith("the daemon"))).toEqual([
    ...["the daemon is away; waiting for it", "the daemon is back"],
    ...["the daemon is away; waiting for it", "the daemon is back"],
    ...["the daemon is away; waiting for it", "the daemon is back"],
    "the daemon is away; waiting for it",
  ]);
  const expected = Array.from(
    { length: 9_000 },
    (_, index) => `talk:talk | ${String(index + 1)}\n`,
  );
  expect(screen.text).toBe(expected.join(""));
  await daemon.must("down", "talk");
});

/** Waits until it holds, at most 60 s. */
async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error("it never came to hold");
    await delay(10);
  }
}
