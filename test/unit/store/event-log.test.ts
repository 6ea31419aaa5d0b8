import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { describe, expect, it, onTestFinished } from "vitest";

import type { Event, EventBody } from "../../../src/spec/index.js";
import { PAST_MAX, openEventLog } from "../../../src/store/event-log.js";
import type { EventLog, EventLogPlaces } from "../../../src/store/event-log.js";
import { temporaryDirectory } from "../../fixture/directory.js";

const SMALL = 4_096;

async function places(): Promise<EventLogPlaces> {
  const directory = await temporaryDirectory();
  return { events: join(directory, "events.log"), told: join(directory, "told.json") };
}

/** The log of a daemon that is never ended, as after a kill -9. */
async function openLog(at: EventLogPlaces, maxBytes = SMALL): Promise<EventLog> {
  const log = await openEventLog(at, maxBytes);
  onTestFinished(() => log.close());
  return log;
}

function fact(seq: number, body: EventBody = { kind: "daemon", text: "x" }, cell?: string): Event {
  return { ...body, seq, atMs: 0, ...(cell === undefined ? {} : { cell }) };
}

function exit(seq: number, wardenSeq: number): Event {
  return fact(
    seq,
    { kind: "unit-exit", unit: "web", pid: 7, exit: { code: 1, atMs: 0 }, wardenSeq },
    "shop/web",
  );
}

async function appendMany(log: EventLog, from: number, count: number): Promise<void> {
  for (let seq = from; seq < from + count; seq += 1) await log.append(fact(seq));
}

async function seqsOf(log: EventLog): Promise<number[]> {
  const seqs = [];
  for await (const { seq } of log.read()) seqs.push(seq);
  return seqs;
}

describe("the events on file", () => {
  it("are in the order in which they were told", async () => {
    const at = await places();
    const log = await openLog(at, 8 * 1024 * 1024);
    // Each is written in several pieces: beside each other, they would be among each other.
    const texts = ["x", "y", "z"].map((letter) => letter.repeat(900 * 1024));
    await Promise.all(
      texts.map((text, index) => log.append(fact(index + 1, { kind: "daemon", text }))),
    );
    expect((await openLog(at)).past.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  it("are rotated while the daemon runs, and read across both files in order", async () => {
    const at = await places();
    const log = await openLog(at);
    await appendMany(log, 1, 500);
    const files = (await readdir(dirname(at.events))).filter((name) => name.startsWith("events"));
    expect(files.sort()).toEqual(["events.log", "events.log.1"]);
    const seqs = await seqsOf(log);
    expect(seqs).toEqual(Array.from(seqs, (_, index) => seqs[0]! + index));
    expect(seqs.at(-1)).toBe(500);
    const texts = await Promise.all(
      files.map((name) => readFile(join(dirname(at.events), name), "utf8")),
    );
    expect(seqs).toHaveLength(texts.join("").split("\n").length - 1);
    expect((await openLog(at)).past.map(({ seq }) => seq)).toEqual(seqs.slice(-PAST_MAX));
  });

  it("are read without the last line of a daemon that was killed, and go on after it", async () => {
    const at = await places();
    await (await openLog(at)).append(fact(1));
    await writeFile(at.events, `${await readFile(at.events, "utf8")}{"kind":"daemon","te`);
    await (await openLog(at)).append(fact(2));
    expect(await seqsOf(await openLog(at))).toEqual([1, 2]);
  });
});

describe("what was told", () => {
  it("outlives the events it was told in", async () => {
    const at = await places();
    const log = await openLog(at);
    await log.append(exit(1, 41));
    await log.append(fact(2, { kind: "oom", kills: 3 }, "shop/db"));
    await log.append(
      fact(3, { kind: "unit-state", unit: "db", state: "running", pid: 9 }, "shop/db"),
    );
    await appendMany(log, 4, 500);
    expect(await seqsOf(log)).not.toContain(1);
    const { told } = await openLog(at);
    expect(told.of("shop/web")).toEqual({ exitSeq: 41, oomKills: 0, ready: {} });
    expect(told.of("shop/db")).toEqual({ exitSeq: 0, oomKills: 3, ready: { db: 9 } });
    expect(told.lastSeq).toBe(503);
  });

  it("outlives the events' files, and their numbers go on", async () => {
    const at = await places();
    const log = await openLog(at);
    await log.append(exit(1, 41));
    await log.keepAllocations(["shop/web"]);
    await rm(at.events);
    const { told, past } = await openLog(at);
    expect([past, told.lastSeq, told.of("shop/web").exitSeq]).toEqual([[], 1, 41]);
  });

  it("is known after a kill -9 without a word on record: the events say it", async () => {
    const at = await places();
    await (await openLog(at)).append(exit(1, 41));
    await rm(at.told, { force: true });
    expect((await openLog(at)).told.of("shop/web").exitSeq).toBe(41);
  });

  it("is not on record before the events are: one that was not written is told again", async () => {
    const at = await places();
    const log = await openLog(at);
    await log.append(exit(1, 41));
    // A daemon that is killed here has 2 in no file, and nothing on record may say otherwise.
    await log.keepAllocations(["shop/web"]);
    const { told } = await openLog(at);
    expect([told.lastSeq, told.of("shop/web").exitSeq]).toEqual([1, 41]);
  });

  it("of an allocation ends with it; the number of the last exit goes on", async () => {
    const at = await places();
    const log = await openLog(at);
    await log.append(exit(1, 41));
    await log.append(fact(2, { kind: "oom", kills: 3 }, "shop/web"));
    await log.append(fact(3, { kind: "cell-state", state: "absent" }, "shop/web"));
    expect((await openLog(at)).told.of("shop/web")).toEqual({
      exitSeq: 41,
      oomKills: 0,
      ready: {},
    });
  });

  it("of an allocation ends with a boot, of which there is no event", async () => {
    const at = await places();
    const log = await openLog(at);
    await log.append(fact(1, { kind: "oom", kills: 3 }, "shop/web"));
    await log.append(fact(2, { kind: "oom", kills: 4 }, "shop/db"));
    await log.keepAllocations(["shop/db"]);
    const { told } = await openLog(at);
    expect([told.of("shop/web").oomKills, told.of("shop/db").oomKills]).toEqual([0, 4]);
  });

  it.each([
    ["garbled", (path: string) => writeFile(path, '{"format":1,'), "it is not whole"],
    ["a directory", (path: string) => mkdir(path), "it is a directory"],
  ])("is put aside when its record is %s, and the daemon goes on", async (_what, put, why) => {
    const at = await places();
    await (await openLog(at)).append(exit(1, 41));
    await rm(at.told, { force: true });
    await put(at.told);
    const { told, doubt } = await openLog(at);
    expect(told.of("shop/web").exitSeq).toBe(41);
    expect(doubt).toContain(why);
    expect(await readdir(dirname(at.told))).toContain("told.json.corrupt");
  });
});
