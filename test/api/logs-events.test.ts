// What units said and what happened to them, as `henge logs` and `henge events` print it.

import { describe, expect, it } from "vitest";

import { connect } from "../../src/cli/client.js";
import type { CellName, Event, UnitName } from "../../src/spec/index.js";
import { iterate } from "../fake/control.js";
import { Screen, henge } from "../fixture/cli.js";
import { startDaemon, until } from "./harness.js";

const web = "shop/web" as CellName;
const puma = "puma" as UnitName;
const AT = Date.UTC(2026, 10, 23, 8, 45);

it("prints logs with their unit, and control characters only where they can do no harm", async () => {
  const text = "\u001b]52;c;aGk=\u0007 hi\u009b31m\ttab";
  const asked: unknown[] = [];
  const daemon = await startDaemon({
    logs: (query) => {
      asked.push(query);
      return iterate([
        { cell: web, unit: puma, atMs: AT, stream: "stderr" as const, text, cursor: "c" },
      ]);
    },
  });
  const stdout = new Screen();
  stdout.isTTY = true;
  await henge(
    daemon.root,
    ["logs", "shop/web:puma", "--tail", "5", "--since", "2026-11-23T08:00:00Z"],
    { stdout },
  );
  expect(stdout.text).toBe("shop/web:puma | \\x1b]52;c;aGk=\\x07 hi\\x9b31m\ttab\n");
  expect(asked).toEqual([
    {
      target: { cell: "shop/web", unit: "puma" },
      follow: false,
      sinceMs: Date.UTC(2026, 10, 23, 8),
      tail: 5,
    },
  ]);
  const piped = await henge(daemon.root, ["logs", "shop/web"]);
  expect(piped.stdout).toBe(`shop/web:puma | ${text}\n`);
  const json = await henge(daemon.root, ["logs", "shop/web", "-o", "json"]);
  expect(json.stdout).not.toMatch(/[\u0080-\u009f]/);
  expect(JSON.parse(json.stdout)).toEqual({
    ...{ cell: "shop/web", unit: "puma", at: "2026-11-23T08:45:00.000Z", stream: "stderr", text },
  });
});

const AWAY = "the daemon is away; waiting for it\n";
const BACK = "the daemon is back\n";

/** One after another, and then nothing until the client or the daemon goes. */
async function* thenWait<Item>(items: readonly Item[], signal: AbortSignal): AsyncGenerator<Item> {
  yield* items;
  await new Promise((resolve) => {
    signal.addEventListener("abort", resolve);
  });
}

describe("a client that follows", () => {
  const said = (text: string, cursor: string) => ({
    ...{ cell: web, unit: puma, atMs: AT, stream: "stdout" as const, text, cursor },
  });
  const quiet = { cell: "shop" as CellName, unit: "db" as UnitName, cursor: "0" };

  it.each(["text", "json"])(
    "logs goes on after the last line of each unit, in %s",
    async (form) => {
      const stdout = new Screen();
      const argv = ["logs", "-f", "--tail", "5", "shop", "-o", form];
      const first = await startDaemon({
        logs: (_query, signal) => thenWait([said("a", "1"), said("b", "2"), quiet], signal),
      });
      const logs = henge(first.root, argv, { stdout });
      await until(() => stdout.text.split("\n").length > 2);
      await first.close();
      const asked: unknown[] = [];
      const second = await startDaemon(
        {
          logs: (query, signal) => {
            asked.push(query);
            return thenWait([said("c", "3")], signal);
          },
        },
        first.root,
      );
      await until(() => stdout.text.split("\n").length > 3);
      await second.close();
      await startDaemon(
        {
          logs: (query) => {
            asked.push(query);
            return iterate([]);
          },
        },
        first.root,
      );
      const { exit, stderr } = await logs;
      const query = { target: { cell: "shop" }, follow: true, tail: 5 };
      const puma2 = { cell: web, unit: puma, cursor: "2" };
      expect(asked).toEqual([
        { ...query, after: [puma2, quiet] },
        { ...query, after: [{ ...puma2, cursor: "3" }, quiet] },
      ]);
      const texts = stdout.text.trimEnd().split("\n");
      if (form === "text")
        expect(texts).toEqual(["a", "b", "c"].map((c) => `shop/web:puma | ${c}`));
      else
        expect(texts.map((text) => JSON.parse(text) as unknown)).toMatchObject([
          ...[{ text: "a" }, { text: "b" }, { text: "c" }],
        ]);
      expect([exit, stderr]).toEqual([0, form === "text" ? `${AWAY}${BACK}${AWAY}${BACK}` : ""]);
    },
  );

  it("events goes on after the last event", async () => {
    const stdout = new Screen();
    const event = (seq: number): Event => ({ seq, atMs: AT, kind: "daemon", text: "started" });
    const first = await startDaemon({
      events: (_query, signal) => thenWait([event(7), event(8)], signal),
    });
    const events = henge(first.root, ["events", "-f", "--since-seq", "6"], { stdout });
    await until(() => stdout.text.includes(" 8 "));
    await first.close();
    const asked: unknown[] = [];
    await startDaemon(
      {
        events: (query) => {
          asked.push(query);
          return iterate([event(9)]);
        },
      },
      first.root,
    );
    expect(await events).toMatchObject({ exit: 0, stderr: `${AWAY}${BACK}` });
    expect(asked).toEqual([{ follow: true, sinceSeq: 8 }]);
    expect(stdout.text.match(/ \d /g)).toEqual([" 7 ", " 8 ", " 9 "]);
  });

  it("gives up where the daemon stays away, and where none was there at first", async () => {
    const stdout = new Screen();
    const env = { HENGE_PATIENCE: "0.5" };
    const daemon = await startDaemon({
      logs: (_query, signal) => thenWait([said("a", "1")], signal),
    });
    const logs = henge(daemon.root, ["logs", "-f", "shop"], { stdout, env });
    await until(() => stdout.text !== "");
    await daemon.close();
    const cannotReach = /henge: cannot reach henged at .*\nhint: start it as root: henged --root/;
    const lost = await logs;
    expect([lost.exit, lost.stderr.startsWith(AWAY)]).toEqual([69, true]);
    expect(lost.stderr).toMatch(cannotReach);
    const never = await henge(daemon.root, ["logs", "-f", "shop"], { env });
    expect([never.exit, never.stderr.includes(AWAY)]).toEqual([69, false]);
    expect(never.stderr).toMatch(cannotReach);
  });

  it("is not told cursors it did not ask for", async () => {
    const daemon = await startDaemon({ logs: () => iterate([said("a", "1"), quiet]) });
    const client = await connect(daemon.socketPath, "");
    const request = { target: { cell: "shop" }, follow: true, cursors: false, after: [] };
    const lines = [];
    for await (const line of client.stream("Logs", request)) lines.push(line);
    client.close();
    expect(lines).toMatchObject([{ text: "a" }]);
    expect(lines[0]?.cursor).toBeUndefined();
  });
});

it("prints events of every kind, one JSON object a line or one text line each", async () => {
  const base = { atMs: AT, cell: "shop/web" };
  const events: Event[] = [
    { ...base, seq: 1, kind: "cell-state", state: "running" },
    {
      ...{ ...base, seq: 2, kind: "unit-state", unit: "puma", state: "crashloop" },
      ...{ pid: 7, reason: "ended 5 times" },
    },
    {
      ...{ ...base, seq: 3, kind: "unit-exit", unit: "puma", pid: 7, wardenSeq: 9 },
      exit: { code: 3, atMs: AT },
    },
    { ...base, seq: 4, kind: "step", step: "set-limit", text: "memory.max 4096" },
    { seq: 5, atMs: AT, kind: "daemon", text: "started" },
    { ...base, seq: 6, kind: "oom", kills: 3 },
    { ...base, seq: 7, kind: "pressure", resource: "io", avg10: 12.5 },
    {
      ...{ ...base, seq: 8, kind: "unit-exit", unit: "puma", pid: 7, wardenSeq: 10 },
      exit: { signal: "SIGKILL", outOfMemory: true, atMs: AT },
    },
    { seq: 9, atMs: AT, kind: "rules-restored", by: "nft[7]" },
    { seq: 10, atMs: AT, kind: "rules-restored" },
  ];
  const asked: unknown[] = [];
  const daemon = await startDaemon({
    events: (query) => {
      asked.push(query);
      return iterate(events);
    },
  });
  const text = await henge(daemon.root, ["events", "shop"]);
  const json = await henge(daemon.root, ["events", "-o", "json", "--since-seq", "4"]);
  const at = "2026-11-23T08:45:00.000Z";
  expect(asked).toEqual([
    { follow: false, sinceSeq: 0, cell: "shop" },
    { follow: false, sinceSeq: 4 },
  ]);
  expect(text.stdout.trimEnd().split("\n")).toEqual([
    `${at} 1 shop/web is running`,
    `${at} 2 shop/web puma is crashloop (pid 7): ended 5 times`,
    `${at} 3 shop/web puma (pid 7) ended: code 3`,
    `${at} 4 shop/web set-limit: memory.max 4096`,
    `${at} 5 henged started`,
    `${at} 6 shop/web ran out of memory: 3 processes killed since it was allocated`,
    `${at} 7 shop/web waits for io: 12.50% of the last 10 s`,
    `${at} 8 shop/web puma (pid 7) ended: SIGKILL, out of memory`,
    `${at} 9 henged put the network's rules back after they were changed by nft[7]`,
    `${at} 10 henged put the network's rules back after they were changed`,
  ]);
  expect(
    json.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual([
    { seq: 1, at, cell: "shop/web", kind: "cell-state", state: "running", reason: null },
    {
      ...{ seq: 2, at, cell: "shop/web", kind: "unit-state", unit: "puma", state: "crashloop" },
      pid: 7,
      reason: "ended 5 times",
    },
    {
      ...{ seq: 3, at, cell: "shop/web", kind: "unit-exit", unit: "puma", pid: 7 },
      exit: { code: 3, at },
    },
    {
      seq: 4,
      at,
      cell: "shop/web",
      kind: "step",
      step: "set-limit",
      unit: null,
      text: "memory.max 4096",
    },
    { seq: 5, at, cell: null, kind: "daemon", text: "started" },
    { seq: 6, at, cell: "shop/web", kind: "oom", kills: 3 },
    { seq: 7, at, cell: "shop/web", kind: "pressure", resource: "io", avg10: 12.5 },
    {
      ...{ seq: 8, at, cell: "shop/web", kind: "unit-exit", unit: "puma", pid: 7 },
      exit: { signal: "SIGKILL", outOfMemory: true, at },
    },
    { seq: 9, at, cell: null, kind: "rules-restored", by: "nft[7]" },
    { seq: 10, at, cell: null, kind: "rules-restored", by: null },
  ]);
});
