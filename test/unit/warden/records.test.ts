import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { exitStatusOf, parseExitLine, readExits } from "../../../src/warden/exits.js";
import { isAlive, listCells, parseRecord, readRecord } from "../../../src/warden/record.js";

describe("exit records", () => {
  let directory = "";
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "henge-exits-"));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it("tell codes and signals of wait(2) apart", () => {
    expect(exitStatusOf(0, 1)).toEqual({ code: 0, atMs: 1 });
    expect(exitStatusOf(0xff00, 1)).toEqual({ code: 255, atMs: 1 });
    expect(exitStatusOf(9, 1)).toEqual({ signal: "SIGKILL", atMs: 1 });
    expect(exitStatusOf(0x86, 1)).toEqual({ signal: "SIGABRT", atMs: 1 });
    expect(exitStatusOf(40, 1)).toEqual({ signal: "SIG40", atMs: 1 });
    expect(exitStatusOf(0x10009, 1)).toEqual({ signal: "SIGKILL", outOfMemory: true, atMs: 1 });
  });

  it("skip what a crash cut short", () => {
    expect(parseExitLine("3 web 120 0 1795425163251")).toMatchObject({
      seq: 3,
      unit: "web",
      pid: 120,
    });
    for (const torn of ["", "3 web", "3 web 120 0 ", "x web 1 2 3", "3 ../x 1 2 3"])
      expect(parseExitLine(torn)).toBeUndefined();
  });

  it("are read across the rotation, oldest first, each once, only the later ones", async () => {
    expect(await readExits(directory, 0)).toEqual([]);
    writeFileSync(join(directory, "exits.1"), "1 a 10 0 5\n2 a 11 0 6\n");
    writeFileSync(join(directory, "exits"), "2 a 11 0 6\n3 b 12 9 7\n4 b 1");
    expect((await readExits(directory, 0)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect((await readExits(directory, 2)).map(({ seq }) => seq)).toEqual([3]);
  });

  it("know cells by their directories, and nothing else", async () => {
    expect(await listCells(join(directory, "none"))).toEqual([]);
    for (const name of ["shop", "shop.web", "Shop", ".hidden", "shop..web"])
      writeFileSync(join(directory, name), "");
    expect(await listCells(directory)).toEqual(["shop", "shop/web"]);
  });
});

describe("a warden's record", () => {
  const text = "cell shop/web\nboot abc\nwarden 12 345\ncgroup /sys/fs/cgroup/henge/shop web\n";

  it("is read whole or not at all", () => {
    expect(parseRecord(text)).toEqual({
      bootId: "abc",
      wardenPid: 12,
      wardenStart: "345",
      cgroup: "/sys/fs/cgroup/henge/shop web",
    });
    for (const line of text.split("\n").slice(1, 4))
      expect(parseRecord(text.replace(line, ""))).toBeUndefined();
    expect(parseRecord(text.replace("12", "-1"))).toBeUndefined();
  });

  it("is not that of another process with the same pid", async () => {
    const record = { bootId: "abc", wardenPid: process.pid, wardenStart: "1", cgroup: "/" };
    expect(await isAlive(record, "abc")).toBe(false);
    expect(await isAlive({ ...record, wardenPid: 0 }, "abc")).toBe(false);
  });
});

describe("what is in the place of a warden's record", () => {
  it.each([
    ["a directory", (path: string) => mkdirSync(path)],
    ["a link in a circle", (path: string) => symlinkSync("warden", path)],
  ])("is one of a warden that is gone: %s", async (_what, put) => {
    const directory = mkdtempSync(join(tmpdir(), "henge-record-"));
    put(join(directory, "warden"));
    const record = await readRecord(directory);
    rmSync(directory, { recursive: true });
    expect(record).toBeDefined();
    expect(await isAlive(record!, "boot")).toBe(false);
  });
});
