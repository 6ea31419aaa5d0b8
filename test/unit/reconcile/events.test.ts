import { join } from "node:path";

import { describe, expect, it, onTestFinished } from "vitest";

import { Events } from "../../../src/reconcile/events.js";
import { openEventLog } from "../../../src/store/event-log.js";
import type { EventLog } from "../../../src/store/event-log.js";
import { temporaryDirectory } from "../../fixture/directory.js";

const forever = (): AbortSignal => AbortSignal.timeout(5_000);

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

async function openLog(directory: string): Promise<EventLog> {
  const log = await openEventLog({
    events: join(directory, "events.log"),
    told: join(directory, "told.json"),
  });
  onTestFinished(() => log.close());
  return log;
}

async function openEvents(directory: string, now = () => 1_000): Promise<Events> {
  return new Events(await openLog(directory), now);
}

function emitMany(events: Events, count: number): void {
  for (let n = 0; n < count; n += 1) events.emit({ kind: "daemon", text: String(n) });
}

const numbersTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

describe("the events", () => {
  it("are numbered on from where the last daemon ended", async () => {
    const directory = await temporaryDirectory();
    const first = await openEvents(directory);
    first.emit({ kind: "daemon", text: "one" });
    first.emit({ kind: "cell-state", state: "running" }, "shop");
    expect(await collect(first.read({ follow: false, sinceSeq: 0 }, forever()))).toHaveLength(2);
    const second = await openEvents(directory);
    second.emit({ kind: "daemon", text: "two" });
    const all = await collect(second.read({ follow: false, sinceSeq: 0 }, forever()));
    expect(all.map(({ seq, kind }) => [seq, kind])).toEqual([
      [1, "daemon"],
      [2, "cell-state"],
      [3, "daemon"],
    ]);
  });

  it("follow a cell and those nested in it, past events first", async () => {
    const events = await openEvents(await temporaryDirectory());
    events.emit({ kind: "cell-state", state: "running" }, "shop");
    const stop = new AbortController();
    const seen: string[] = [];
    const reading = (async () => {
      const query = { follow: true, sinceSeq: 0, cell: "shop" };
      for await (const event of events.read(query, stop.signal)) {
        seen.push(event.cell ?? "");
        if (seen.length === 2) stop.abort();
      }
    })();
    events.emit({ kind: "cell-state", state: "running" }, "shopping");
    events.emit({ kind: "cell-state", state: "running" }, "shop/web");
    await reading;
    expect(seen).toEqual(["shop", "shop/web"]);
  });

  it("come from the file where memory no longer has them, each once and in order", async () => {
    const events = await openEvents(await temporaryDirectory());
    emitMany(events, 2_500);
    const all = await collect(events.read({ follow: false, sinceSeq: 0 }, forever()));
    expect(all.map(({ seq }) => seq)).toEqual(numbersTo(2_500));
    const last = await collect(events.read({ follow: false, sinceSeq: 1_200 }, forever()));
    expect(last.map(({ seq }) => seq)).toEqual(numbersTo(2_500).slice(1_200));
  });

  it("are all told to a reader that is slower than they come", async () => {
    const events = await openEvents(await temporaryDirectory());
    const stop = new AbortController();
    emitMany(events, 1_500);
    const seen: number[] = [];
    for await (const { seq } of events.read({ follow: true, sinceSeq: 0 }, stop.signal)) {
      seen.push(seq);
      // While it is in the file, and again while it is in memory, memory goes on without it.
      if (seq === 1 || seq === 1_400) emitMany(events, 3_000);
      if (seq === 7_500) stop.abort();
    }
    expect(seen).toEqual(numbersTo(7_500));
  });

  it("are told to who follows once they are on file: the number of one that is not may be given again", async () => {
    const log = await openLog(await temporaryDirectory());
    let write: () => void = () => undefined;
    const append = () => new Promise<void>((resolve) => (write = resolve));
    const events = new Events({ ...log, append }, () => 0);
    const stop = new AbortController();
    emitMany(events, 1);
    const next = events.read({ follow: true, sinceSeq: 0 }, stop.signal).next();
    let isTold = false;
    void next.then(() => (isTold = true));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(isTold).toBe(false);
    write();
    expect((await next).value).toMatchObject({ seq: 1 });
    stop.abort();
  });

  it("of a time are those from it on, and those before the other", async () => {
    let nowMs = 0;
    const events = await openEvents(await temporaryDirectory(), () => (nowMs += 100));
    emitMany(events, 5);
    const query = { follow: false, sinceSeq: 0, sinceMs: 200, untilMs: 400 };
    const found = await collect(events.read(query, forever()));
    expect(found.map(({ atMs }) => atMs)).toEqual([200, 300]);
  });

  it("end when no event is on file though their numbers go on", async () => {
    const log = await openLog(await temporaryDirectory());
    log.told.note({ kind: "daemon", text: "gone", seq: 9, atMs: 0 });
    const events = new Events(log, () => 0);
    expect(await collect(events.read({ follow: false, sinceSeq: 0 }, forever()))).toEqual([]);
  });
});

describe("what was told", () => {
  it("is known though its event is in no file any more", async () => {
    const directory = await temporaryDirectory();
    const log = await openLog(directory);
    const first = new Events(log, () => 0);
    const exit = { code: 1, atMs: 0 };
    first.emit({ kind: "unit-exit", unit: "web", pid: 7, exit, wardenSeq: 41 }, "shop/web");
    first.emit({ kind: "oom", kills: 2 }, "shop/web");
    first.emit({ kind: "unit-state", unit: "web", state: "running", pid: 8 }, "shop/web");
    for (let n = 0; n < 12; n += 1) first.emit({ kind: "daemon", text: "x".repeat(1_000_000) });
    const kept = await collect(first.read({ follow: false, sinceSeq: 0 }, forever()));
    expect(kept.map(({ kind }) => kind)).toContain("unit-exit"); // memory has it still
    await collect(log.read()); // in its turn: what was told is on file now
    const second = await openEvents(directory);
    const onFile = await collect(second.read({ follow: false, sinceSeq: 0 }, forever()));
    expect(onFile.map(({ kind }) => kind)).not.toContain("unit-exit");
    expect(second.lastExitSeq("shop/web")).toBe(41);
    expect(second.lastOomKills("shop/web")).toBe(2);
    expect(second.toldReady("shop/web", "web", 8)).toBe(true);
    expect(second.toldReady("shop/web", "web", 7)).toBe(false);
  });
});
