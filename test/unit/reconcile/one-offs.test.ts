import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { nameWords } from "../../../src/reconcile/verbs/command-words.js";
import type { HouseDaemon } from "../../fixture/house-daemon.js";
import type { UnitName } from "../../../src/spec/index.js";
import { House } from "../../fixture/house.js";
import { SHOP, cell, forever, settle, silent } from "../../fixture/shop.js";

const ROOM = SHOP.replace(
  "network: own",
  "network: own\nbudgets: { connections: { limit: 40, one-offs: { at-once: 2, each: 5 } } }",
).replace(
  "argv: [/bin/web]",
  "argv: [/bin/web], user: app, cwd: /srv, env: { A: b }, env-files: [/etc/x], uses: { connections: 10 }",
);

function run(
  daemon: HouseDaemon,
  argv: readonly string[],
  { unit, signal = forever() }: { readonly unit?: string; readonly signal?: AbortSignal } = {},
) {
  const target = { cell: cell("shop/web"), ...(unit && { unit: unit as UnitName }) };
  return daemon.exec(
    { target, argv, env: { C: "d" }, oneOff: { caller: "a test", requestId: "r1" } },
    signal,
  );
}

async function trail(house: House): Promise<readonly Record<string, unknown>[]> {
  const lines = (await readFile(join(house.directory, "audit.log"), "utf8")).trim().split("\n");
  return lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ verb }) => String(verb).startsWith("run "));
}

async function shop(text = ROOM): Promise<{ house: House; daemon: HouseDaemon }> {
  const house = await House.build();
  const daemon = await house.daemon();
  await house.up(daemon, text);
  return { house, daemon };
}

describe("a one-off", () => {
  it("has the environment, user and directory of the cell's unit, running or not", async () => {
    const { house, daemon } = await shop();
    await daemon.stop({ cell: cell("shop/web") }, house.request(), silent, forever());
    await run(daemon, ["bin/tootctl"]);
    expect(house.world.execs.at(-1)).toEqual({
      ...{ argv: ["bin/tootctl"], env: { A: "b", C: "d" }, envFiles: ["/etc/x"] },
      ...{ cwd: "/srv", user: "app" },
    });
  });

  it("is in the audit trail before it starts, and with its end and how long it took", async () => {
    const { house, daemon } = await shop();
    const session = await run(daemon, ["/waits", "for", "--it", "canary"]);
    const line = { requestId: "r1", verb: "run /waits for", target: "shop/web:web" };
    expect(await trail(house)).toEqual([{ atMs: 1_000_000, ...line }]);
    house.clock.advance(1_500);
    session.end();
    await settle(async () => (await trail(house)).length === 2);
    expect((await trail(house))[1]).toEqual({
      ...{ atMs: 1_001_500, ...line, result: "exit 0 after 1500 ms" },
    });
  });

  it("is in the audit trail also when it could not be started", async () => {
    const { house, daemon } = await shop();
    await expect(run(daemon, ["/missing"])).rejects.toMatchObject({ errno: "ENOENT" });
    expect((await trail(house))[1]).toMatchObject({
      result: "cannot exec /missing: there is no such file or directory (ENOENT) after 0 ms",
    });
  });

  it("is refused where as many run as its unit's budget keeps room for, until one has ended", async () => {
    const { house, daemon } = await shop();
    const client = new AbortController();
    await run(daemon, ["/waits"], { signal: client.signal });
    const second = await run(daemon, ["/waits"]);
    await expect(run(daemon, ["/bin/true"])).rejects.toMatchObject({
      code: "BUSY",
      message: "cannot run in shop/web: 2 one-offs run, and connections keeps room for no more",
    });
    second.end();
    await settle(async () => (await trail(house)).some(({ result }) => result !== undefined));
    const third = await run(daemon, ["/waits"]);
    client.abort();
    await settle(async () =>
      (await trail(house)).some(({ result }) => result === "ended with its client after 0 ms"),
    );
    await run(daemon, ["/waits"]);
    await expect(run(daemon, ["/bin/true"])).rejects.toMatchObject({ code: "BUSY" });
    third.end();
  });

  it("takes no room when it cannot be started", async () => {
    const { daemon } = await shop();
    for (let n = 0; n < 3; n++)
      await expect(run(daemon, ["/missing"])).rejects.toMatchObject({ errno: "ENOENT" });
    await (
      await run(daemon, ["/bin/true"])
    ).exit;
  });

  it("is not counted where its unit takes of no budget", async () => {
    const { daemon } = await shop();
    for (let n = 0; n < 5; n++) await run(daemon, ["/waits"], { unit: "migrate" });
  });

  it("is refused where a budget of its unit keeps nothing for one-offs", async () => {
    const { house, daemon } = await shop(ROOM.replace(", one-offs: { at-once: 2, each: 5 }", ""));
    await expect(run(daemon, ["/bin/true"])).rejects.toMatchObject({
      code: "WRONG_STATE",
      message: "cannot run in shop/web: connections keeps nothing for one-offs",
    });
    expect(await trail(house)).toEqual([]);
  });
});

describe("a one-off of a monolith that wants snapshots before changes", () => {
  const CAREFUL = `${ROOM}snapshots: { before-changes: true, keep: 2 }\n`;

  async function names(daemon: HouseDaemon): Promise<readonly string[]> {
    const taken = await daemon.snapshots(cell("shop"));
    return taken.map(({ name }) => name.replace(/-\d.*/, ""));
  }

  it("begins when there is one, and leaves those that were before other changes", async () => {
    const { house, daemon } = await shop(CAREFUL);
    await daemon.restart({ cell: cell("shop/web") }, house.request(), silent, forever());
    for (let n = 1; n <= 3; n += 1) {
      house.clock.advance(1_000);
      await (
        await run(daemon, ["/bin/true"])
      ).exit;
    }
    expect(await names(daemon)).toEqual(["before-restart", "before-run", "before-run"]);
    expect(house.held).toHaveLength(4);
  });

  it("does not begin, and takes no room, when there can be none", async () => {
    const { house, daemon } = await shop(CAREFUL);
    house.holdsStill = false;
    for (let n = 0; n < 3; n += 1)
      await expect(run(daemon, ["/bin/true"])).rejects.toMatchObject({ code: "DEADLINE" });
    expect(house.world.execs).toEqual([]);
    expect((await trail(house))[1]?.["result"]).toMatch(/^cannot take snapshot before-run-/);
  });

  /** No snapshot is done before the returned function is called. */
  function holdSnapshots(house: House): () => void {
    const take = house.driver.snapshots.take;
    let goOn = (): void => undefined;
    const told = new Promise<void>((resolve) => (goOn = resolve));
    house.driver.snapshots.take = async (...words) => {
      await told;
      house.clock.advance(1);
      await take(...words);
    };
    return goOn;
  }

  it("waits for another's; a change meanwhile is refused", async () => {
    const { house, daemon } = await shop(CAREFUL);
    const goOn = holdSnapshots(house);
    const runs = [run(daemon, ["/bin/true"]), run(daemon, ["/bin/true"])];
    await settle(() => house.held.length === 1);
    const restart = daemon.restart({ cell: cell("shop/web") }, "r2", silent, forever());
    await expect(restart).rejects.toThrow("cannot restart shop: run is under way");
    goOn();
    for (const session of await Promise.all(runs)) await session.exit;
    expect(await names(daemon)).toEqual(["before-run", "before-run"]);
  });

  it("is refused while a change is under way", async () => {
    const { house, daemon } = await shop(CAREFUL);
    const goOn = holdSnapshots(house);
    const restart = daemon.restart({ cell: cell("shop/web") }, "r2", silent, forever());
    await settle(() => house.held.length === 1);
    await expect(run(daemon, ["/bin/true"])).rejects.toMatchObject({
      code: "BUSY",
      message: "cannot run shop: restart is under way",
    });
    goOn();
    await restart;
    expect(house.world.execs).toEqual([]);
  });
});

it.each([
  [
    ["bin/tootctl", "accounts", "modify", "alice", "--role", "Owner"],
    "bin/tootctl accounts modify alice",
  ],
  [["bundle", "exec", "rails", "db:migrate", "VERSION=1"], "bundle exec rails db:migrate"],
  [["redis-cli", "-a", "secret", "ping"], "redis-cli"],
  [["psql", "postgres://app:secret@db/app"], "psql"],
  [["env", "TOKEN=secret", "bin/x"], "env"],
  [["sh", "echo two words"], "sh"],
  [["a", "b", "c", "d", "e"], "a b c d"],
  [["/opt/my tools/x", "y"], '"/opt/my tools/x" y'],
])("writes of %j down: %s", (argv, words) => {
  expect(nameWords(argv)).toBe(words);
});
