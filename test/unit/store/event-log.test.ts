import { appendFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import { Events } from "../../../src/reconcile/events.js";
import { openEventLog } from "../../../src/store/event-log.js";
import { temporaryDirectory } from "../../fixture/directory.js";

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

async function openEvents(path: string): Promise<{ events: Events; close: () => Promise<void> }> {
  const log = await openEventLog(path);
  return { events: new Events(log, () => 1_000), close: () => log.close() };
}

it("numbers events on from where the last daemon ended", async () => {
  const path = join(await temporaryDirectory(), "events");
  const first = await openEvents(path);
  first.events.emit({ kind: "daemon", text: "one" });
  first.events.emit({ kind: "cell-state", state: "running" }, "shop");
  await first.close();
  await appendFile(path, '{"kind":"daemon","te'); // killed while it wrote
  const second = await openEvents(path);
  second.events.emit({ kind: "daemon", text: "two" });
  const all = await collect(
    second.events.read({ follow: false, sinceSeq: 0 }, AbortSignal.timeout(1_000)),
  );
  expect(all.map(({ seq, kind }) => [seq, kind])).toEqual([
    [1, "daemon"],
    [2, "cell-state"],
    [3, "daemon"],
  ]);
  await second.close();
});

it("follows a cell and those nested in it, past events first", async () => {
  const { events, close } = await openEvents(join(await temporaryDirectory(), "events"));
  events.emit({ kind: "cell-state", state: "running" }, "shop");
  const stop = new AbortController();
  const seen: string[] = [];
  const reading = (async () => {
    for await (const event of events.read(
      { follow: true, sinceSeq: 0, cell: "shop" },
      stop.signal,
    )) {
      seen.push(event.cell ?? "");
      if (seen.length === 2) stop.abort();
    }
  })();
  events.emit({ kind: "cell-state", state: "running" }, "shopping");
  events.emit({ kind: "cell-state", state: "running" }, "shop/web");
  await reading;
  expect(seen).toEqual(["shop", "shop/web"]);
  await close();
});

it("has events on file in the order in which they were told", async () => {
  const path = join(await temporaryDirectory(), "events");
  const log = await openEventLog(path);
  // The first is written in several pieces: beside each other, the others would be among them.
  const texts = ["x".repeat(2 * 1024 * 1024), "two", "three"];
  await Promise.all(
    texts.map((text, index) => log.append({ kind: "daemon", text, seq: index + 1, atMs: 0 })),
  );
  await log.close();
  const next = await openEventLog(path);
  expect(next.past.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  await next.close();
});
