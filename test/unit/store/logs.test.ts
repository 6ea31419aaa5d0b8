import { appendFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import type { CellName, UnitName } from "../../../src/spec/index.js";
import { LogFile } from "../../../src/store/log-file.js";
import { readLogs } from "../../../src/store/logs.js";
import { temporaryDirectory } from "../../fixture/directory.js";

const line = (second: number, text: string, flag = "F", stream = "stdout"): string =>
  `2026-11-23T08:00:${String(second).padStart(2, "0")}.000000000Z ${stream} ${flag} ${text}\n`;

function source(
  directory: string,
  unit: string,
): { cell: CellName; unit: UnitName; directory: string } {
  return { cell: "shop" as CellName, unit: unit as UnitName, directory };
}

async function texts(entries: ReturnType<typeof readLogs>): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of entries) if ("text" in entry) found.push(entry.text);
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

describe("the last lines", () => {
  const long = "x".repeat(16_384);

  /** A line in parts, of `parts` times 16 KiB and its number. */
  const inParts = (number: number, parts: number): string =>
    line(1, long, "P").repeat(parts) + line(1, String(number));

  it.each([
    ["many short ones", 3_000, 0],
    ["long ones", 60, 3],
    ["one longer than what is looked at", 2, 40],
  ])("are whole and the last, of %s, over files of any size", async (_what, count, parts) => {
    const directory = await temporaryDirectory();
    const path = join(directory, "web.log");
    const entries = Array.from({ length: count }, (_, index) => inParts(index, parts));
    const expected = Array.from(
      { length: count },
      (_, index) => long.repeat(parts) + String(index),
    );
    const log = entries.join("");
    for (const cut of [0, 0.1, 0.5, 0.9, 0.999, 1]) {
      const border = log.lastIndexOf("\n", Math.floor(log.length * cut)) + 1;
      await writeFile(`${path}.1`, log.slice(0, border));
      await writeFile(path, log.slice(border));
      for (const tail of [0, 1, 2, 50, 5_000]) {
        const read = readLogs([source(directory, "web")], { follow: false, tail }, deadline());
        expect(
          (await texts(read)).join() ===
            expected.slice(expected.length - Math.min(tail, count)).join(),
        ).toBe(true);
      }
    }
  });

  it("are read without the rest of the log", async () => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, "web.log"), line(1, long).repeat(1_000));
    const full = await LogFile.open(join(directory, "web.log"));
    await full.skipTo(10);
    let count = 0;
    for await (const _ of full.past()) count += 1;
    await full.close();
    expect(count).toBeGreaterThanOrEqual(10);
    expect(count).toBeLessThan(30);
  });

  it("have cursors, after which a reader goes on", async () => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, "web.log"), line(1, long).repeat(20) + line(2, "a"));
    const range = { follow: false, tail: 1 };
    const [last] = await fromAsync(readLogs([source(directory, "web")], range, deadline()));
    await appendFile(join(directory, "web.log"), line(3, "b"));
    const after = last === undefined ? [] : [last];
    const read = readLogs([source(directory, "web")], { follow: false, after }, deadline());
    expect(await texts(read)).toEqual(["b"]);
  });
});

async function fromAsync<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

it("follows a log across its rotation without losing or repeating a line", async () => {
  const directory = await temporaryDirectory();
  const path = join(directory, "web.log");
  await writeFile(path, line(1, "old"));
  const seen: string[] = [];
  const stop = new AbortController();
  const reading = (async () => {
    for await (const entry of readLogs([source(directory, "web")], { follow: true }, stop.signal)) {
      if (!("text" in entry)) continue;
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

it("follows a log that was rotated more often than it looked", async () => {
  const directory = await temporaryDirectory();
  const path = join(directory, "web.log");
  await writeFile(path, line(0, "0"));
  const stop = new AbortController();
  const seen: string[] = [];
  for await (const entry of readLogs([source(directory, "web")], { follow: true }, stop.signal)) {
    if (!("text" in entry)) {
      for (let number = 1; number < 5; number += 1)
        await rotateTo(path, line(number, String(number)));
      continue;
    }
    seen.push(entry.text);
    if (entry.text === "4") stop.abort();
  }
  expect(seen).toEqual(["0", "1", "2", "3", "4"]);
});

it.each(["web.log", "web.log.1"])("reads a log whole while it is being rotated", async (free) => {
  const directory = await temporaryDirectory();
  const names = ["web.log", "web.log.1", "web.log.2"].filter((name) => name !== free).reverse();
  for (const [second, name] of names.entries())
    await writeFile(join(directory, name), line(second, name));
  const read = readLogs([source(directory, "web")], { follow: false }, deadline());
  expect(await texts(read)).toEqual(names);
});

it("joins the parts of a line of each stream for itself, and a character that was cut", async () => {
  const directory = await temporaryDirectory();
  const cut = Buffer.from(line(1, "aü", "P"));
  await writeFile(
    join(directory, "web.log.1"),
    Buffer.concat([cut.subarray(0, -2), Buffer.from("\n")]),
  );
  await writeFile(
    join(directory, "web.log"),
    Buffer.concat([
      Buffer.from(line(2, "oops", "F", "stderr") + line(3, "")).subarray(0, -1),
      cut.subarray(-2, -1),
      Buffer.from("z\n"),
    ]),
  );
  const read = readLogs([source(directory, "web")], { follow: false }, deadline());
  expect(await texts(read)).toEqual(["oops", "aüz"]);
});

/** As the warden does it, which keeps them all. */
async function rotateTo(path: string, text: string): Promise<void> {
  const numbered = (number: number): string => (number === 0 ? path : `${path}.${String(number)}`);
  for (let number = 9; number > 0; number -= 1)
    await rename(numbered(number - 1), numbered(number)).catch(() => undefined);
  await writeFile(path, text);
}

describe("a reader that goes on after a cursor", () => {
  const web = (cursor: string) => ({ cell: "shop" as CellName, unit: "web" as UnitName, cursor });

  /** What is on file, each line with its cursor; then the cursor of the unit. */
  async function readWithCursors(directory: string, ...after: ReturnType<typeof web>[]) {
    const found: { text: string | undefined; cursor: string }[] = [];
    const stop = new AbortController();
    const range = { follow: true, after };
    for await (const entry of readLogs([source(directory, "web")], range, stop.signal)) {
      found.push({ text: "text" in entry ? entry.text : undefined, cursor: entry.cursor });
      if (!("text" in entry)) stop.abort();
    }
    return found;
  }

  it("has every other line, wherever it was, after rotations, though all have one time", async () => {
    const directory = await temporaryDirectory();
    const path = join(directory, "web.log");
    await writeFile(path, line(1, "a") + line(1, "b", "P") + line(1, "c", "F", "stderr"));
    await rotateTo(path, line(2, "d", "F", "stderr") + line(2, "e") + line(2, "f"));
    const before = await readWithCursors(directory);
    expect(before.map(({ text }) => text)).toEqual(["a", "c", "d", "be", "f", undefined]);
    await rotateTo(path, line(3, "g"));
    await rotateTo(path, "");
    const all = ["a", "c", "d", "be", "f", "g"];
    for (const [index, { text, cursor }] of before.entries()) {
      const left = text === undefined ? ["g"] : all.slice(index + 1);
      const read = await readWithCursors(directory, web(cursor));
      expect(
        read.map((entry) => entry.text),
        `after ${String(text)}`,
      ).toEqual([...left, undefined]);
    }
  });

  it("has all of a unit that had said nothing, and goes on again where it ended again", async () => {
    const directory = await temporaryDirectory();
    const [first] = await readWithCursors(directory);
    await writeFile(join(directory, "web.log"), line(1, "a"));
    const then = await readWithCursors(directory, web(first?.cursor ?? ""));
    expect(then.map(({ text }) => text)).toEqual(["a", undefined]);
    const last = await readWithCursors(directory, web(then[1]?.cursor ?? ""));
    expect(last).toEqual([{ text: undefined, cursor: then[1]?.cursor }]);
  });

  it("heeds neither a time nor a number of lines: they were for the first time", async () => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, "web.log"), line(1, "a") + line(2, "b") + line(3, "c"));
    const [{ cursor } = { cursor: "" }] = await readWithCursors(directory);
    const range = { follow: false, tail: 0, sinceMs: Date.now(), after: [web(cursor)] };
    const read = readLogs([source(directory, "web")], range, deadline());
    expect(await texts(read)).toEqual(["b", "c"]);
  });

  it("is told that lines may be missing where its file is gone, and has all there are", async () => {
    const directory = await temporaryDirectory();
    const path = join(directory, "web.log");
    await writeFile(path, line(1, "a"));
    const [{ cursor } = { cursor: "" }] = await readWithCursors(directory);
    await writeFile(path, line(2, "b") + line(3, "c"));
    const read = await readWithCursors(directory, web(cursor));
    expect(read.map(({ text }) => text)).toEqual([
      "lines may be missing here: the log was rotated away before they were read",
      ...["b", "c", undefined],
    ]);
  });

  it("is refused what is no cursor", async () => {
    const directory = await temporaryDirectory();
    for (const cursor of ["", "1", "a+1", "a+1+x", "a+-1+0", `a+1+${"9".repeat(40)}`])
      await expect(readWithCursors(directory, web(cursor))).rejects.toMatchObject({
        code: "INVALID_REQUEST",
      });
  });
});
