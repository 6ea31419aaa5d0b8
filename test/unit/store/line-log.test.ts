import { execFileSync } from "node:child_process";
import { chmod, chown, mkdir, readFile, readdir, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it, onTestFinished } from "vitest";

import { openLineLog } from "../../../src/store/line-log.js";
import type { LineLog } from "../../../src/store/line-log.js";
import { temporaryDirectory } from "../../fixture/directory.js";

const LINE = "x".repeat(9); // 10 bytes with its end

async function opened(
  path: string,
  over: { maxBytes?: number; keep?: number; before?: () => Promise<void> } = {},
): Promise<LineLog> {
  const { maxBytes = 30, keep = 1, before } = over;
  const log = await openLineLog({ path, maxBytes, keep }, before);
  onTestFinished(() => log.close());
  return log;
}

async function contentOf(log: LineLog): Promise<string[]> {
  const lines = [];
  for await (const line of log.lines()) if (line !== "") lines.push(line);
  return lines;
}

const numbered = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => String(index + 1).padStart(9, "0"));

describe("a log of lines", () => {
  it("is bounded while it grows, and keeps the newest", async () => {
    const directory = await temporaryDirectory();
    const log = await opened(join(directory, "log"), { keep: 2 });
    for (const line of numbered(100)) await log.append(line);
    const files = (await readdir(directory)).sort();
    expect(files).toEqual(["log", "log.1", "log.2"]);
    for (const file of files)
      expect((await stat(join(directory, file))).size).toBeLessThanOrEqual(30);
    expect(await contentOf(log)).toEqual(numbered(100).slice(-7));
  });

  it("takes a line that is larger than a file may be, alone", async () => {
    const log = await opened(join(await temporaryDirectory(), "log"));
    for (const line of [LINE, "y".repeat(100), LINE]) await log.append(line);
    expect(await contentOf(log)).toEqual(["y".repeat(100), LINE]);
  });

  it("is full where its last daemon left it", async () => {
    const path = join(await temporaryDirectory(), "log");
    const first = await opened(path);
    for (const line of numbered(2)) await first.append(line);
    const next = await opened(path);
    for (const line of numbered(4).slice(2)) await next.append(line);
    expect(await readFile(`${path}.1`, "utf8")).toBe(`${numbered(3).join("\n")}\n`);
    expect(await contentOf(next)).toEqual(numbered(4));
  });

  it("is read as it was when it was asked for, though it is rotated meanwhile", async () => {
    const log = await opened(join(await temporaryDirectory(), "log"));
    for (const line of numbered(5)) await log.append(line);
    const reading = log.lines();
    const seen = [(await reading.next()).value];
    for (const line of numbered(60).slice(5)) await log.append(line);
    for await (const line of reading) if (line !== "") seen.push(line);
    expect(seen).toEqual(numbered(5));
  });

  it("does not glue a line to what a daemon that was killed has left", async () => {
    const path = join(await temporaryDirectory(), "log");
    await writeFile(path, "one\ntorn", { mode: 0o600 });
    const log = await opened(path, { maxBytes: 1_000 });
    await log.append("two");
    expect(await contentOf(log)).toEqual(["one", "torn", "two"]);
  });

  it("loses no older file when a daemon was killed in the middle of a rotation", async () => {
    const path = join(await temporaryDirectory(), "log");
    // FILE.1 became FILE.2, and the rest did not happen.
    await writeFile(`${path}.2`, "old\n", { mode: 0o600 });
    await writeFile(`${path}.new`, "of no use\n", { mode: 0o600 });
    const log = await opened(path, { keep: 2 });
    for (const line of numbered(4)) await log.append(line);
    expect(await contentOf(log)).toEqual(["old", ...numbered(4)]);
  });

  it("drops nothing, and goes on, when what comes before a rotation fails", async () => {
    const log = await opened(join(await temporaryDirectory(), "log"), {
      before: () => Promise.reject(new Error("the disk is full")),
    });
    for (const line of numbered(20)) await log.append(line);
    expect(await contentOf(log)).toEqual(numbered(20));
  });
});

describe("what is in the log's place", () => {
  it.each([
    ["a directory", (path: string) => mkdir(path), "it is a directory"],
    [
      "a link, also one to a file of root's",
      async (path: string) => {
        await writeFile(`${path}.target`, "", { mode: 0o600 });
        await symlink(`${path}.target`, path);
      },
      "it is a symbolic link",
    ],
    [
      "a link to nothing",
      (path: string) => symlink("/nowhere/at/all", path),
      "it is a symbolic link",
    ],
    [
      "a FIFO",
      (path: string) => Promise.resolve(void execFileSync("mkfifo", [path])),
      "it is a FIFO",
    ],
    [
      "a file that others can write",
      async (path: string) => {
        await writeFile(path, "");
        await chmod(path, 0o666);
      },
      "its mode is 666, so others than its owner can write it",
    ],
    [
      "somebody else's file",
      async (path: string) => {
        await writeFile(path, "");
        await chown(path, 1234, 1234);
      },
      "it belongs to uid 1234, not to uid 0",
    ],
  ])("is refused: %s", async (_what, put, why) => {
    const path = join(await temporaryDirectory(), "log");
    await put(path);
    const opening = openLineLog({ path, maxBytes: 30, keep: 1 });
    await expect(opening).rejects.toMatchObject({
      code: "WRONG_STATE",
      message: `cannot use ${path}: ${why}`,
    });
  });

  it("is never written through when it was put there later", async () => {
    const path = join(await temporaryDirectory(), "log");
    const log = await opened(path);
    const elsewhere = `${path}.elsewhere`;
    await writeFile(elsewhere, "", { mode: 0o600 });
    await symlink(elsewhere, `${path}.new`);
    for (const line of numbered(10)) await log.append(line);
    expect(await readFile(elsewhere, "utf8")).toBe("");
  });
});
