import { appendFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import type { CellName, UnitName } from "../../../src/spec/index.js";
import { readLogs } from "../../../src/store/logs.js";
import { temporaryDirectory } from "../../fixture/directory.js";

const line = (second: number, text: string, flag = "F"): string =>
  `2026-11-23T08:00:${String(second).padStart(2, "0")}.000000000Z stdout ${flag} ${text}\n`;

function source(
  directory: string,
  unit: string,
): { cell: CellName; unit: UnitName; directory: string } {
  return { cell: "shop" as CellName, unit: unit as UnitName, directory };
}

async function texts(entries: AsyncIterable<{ text: string }>): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of entries) found.push(entry.text);
  return found;
}

const deadline = (): AbortSignal => AbortSignal.timeout(5_000);

it("merges units in the order of time, over rotated files, and joins partial lines", async () => {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, "web.log.1"), line(1, "a"));
  await writeFile(join(directory, "web.log"), line(3, "c", "P") + line(3, "d"));
  await writeFile(join(directory, "db.log"), line(2, "b") + line(4, "e"));
  const sources = [
    source(directory, "web"),
    source(directory, "db"),
    source(directory, "never-started"),
  ];
  expect(await texts(readLogs(sources, { follow: false }, deadline()))).toEqual([
    "a",
    "b",
    "cd",
    "e",
  ]);
});

it("gives the last lines of each unit, and those since a time", async () => {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, "web.log"), line(1, "a") + line(2, "b") + line(3, "c"));
  const sources = [source(directory, "web")];
  expect(await texts(readLogs(sources, { follow: false, tail: 2 }, deadline()))).toEqual([
    "b",
    "c",
  ]);
  expect(await texts(readLogs(sources, { follow: false, tail: 0 }, deadline()))).toEqual([]);
  const sinceMs = Date.parse("2026-11-23T08:00:02Z");
  expect(await texts(readLogs(sources, { follow: false, sinceMs }, deadline()))).toEqual([
    "b",
    "c",
  ]);
});

it("follows a log across its rotation without losing or repeating a line", async () => {
  const directory = await temporaryDirectory();
  const path = join(directory, "web.log");
  await writeFile(path, line(1, "old"));
  const seen: string[] = [];
  const stop = new AbortController();
  const reading = (async () => {
    for await (const entry of readLogs([source(directory, "web")], { follow: true }, stop.signal)) {
      seen.push(entry.text);
      if (entry.text === "old") await appendFile(path, line(2, "two"));
      if (entry.text === "two") {
        await appendFile(path, line(3, "three"));
        await rename(path, `${path}.1`);
        await writeFile(path, line(4, "four"));
      }
      if (entry.text === "four") stop.abort();
    }
  })();
  await reading;
  expect(seen).toEqual(["old", "two", "three", "four"]);
});
