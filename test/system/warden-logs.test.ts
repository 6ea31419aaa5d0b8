import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { deadline, exitOf, unit, until, useWorld } from "./warden/fixture.js";

const LINE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z (stdout|stderr|henge) ([FP]) (.*)$/;

describe("the log of a unit", () => {
  const world = useWorld();

  async function run(script: string, log = { maxBytes: 1024 * 1024, keep: 2 }) {
    const warden = await world().allocate();
    await exitOf(warden, "u", () =>
      warden.start(unit("u", ["/bin/sh", "-c", script], { log }), deadline()),
    );
    return world().port.logDirectoryOf(world().cell);
  }

  function linesOf(file: string) {
    const text = readFileSync(file, "utf8");
    expect(text.endsWith("\n")).toBe(true);
    return text
      .slice(0, -1)
      .split("\n")
      .map((line) => {
        const match = LINE.exec(line);
        expect(match, line).not.toBeNull();
        return { stream: match?.[1], tag: match?.[2], text: match?.[3] ?? "" };
      });
  }

  it("has time, stream and tag before every line, the last one too when it has no end", async () => {
    const logs = await run("echo one; echo two >&2; echo; printf 'three'");
    const lines = linesOf(join(logs, "u.log"));
    expect(lines.filter(({ stream }) => stream === "stdout").map(({ text }) => text)).toEqual([
      "one",
      "",
      "three",
    ]);
    expect(lines.filter(({ stream }) => stream === "stderr").map(({ text }) => text)).toEqual([
      "two",
    ]);
    expect(new Set(lines.map(({ tag }) => tag))).toEqual(new Set(["F"]));
    expect(statSync(join(logs, "u.log")).mode & 0o777).toBe(0o600);
  });

  it("cuts a long line into partial ones that join again", async () => {
    const logs = await run("head -c 40000 /dev/zero | tr '\\0' x; echo end");
    const lines = linesOf(join(logs, "u.log"));
    expect(lines.map(({ tag }) => tag)).toEqual(["P", "P", "F"]);
    expect(lines.map(({ text }) => text).join("")).toBe(`${"x".repeat(40_000)}end`);
  });

  it("is rotated by size, whole lines in every file and no more files than asked for", async () => {
    const logs = await run("i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done", {
      maxBytes: 16_384,
      keep: 2,
    });
    expect(readdirSync(logs).sort()).toEqual(["u.log", "u.log.1", "u.log.2"]);
    const kept = ["u.log.2", "u.log.1", "u.log"].flatMap((name) => linesOf(join(logs, name)));
    for (const name of readdirSync(logs))
      expect(statSync(join(logs, name)).size).toBeLessThanOrEqual(16_384);
    const numbers = kept.map(({ text }) => Number(text.slice(5)));
    expect(numbers).toEqual(numbers.map((_, index) => 2000 - numbers.length + index));
  });

  it("loses lines when the disk is full, counts them, says so later, and never blocks the unit", async () => {
    const state = join(world().root, "state");
    mkdirSync(state);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k,mode=0700", "tmpfs", state]);
    try {
      const warden = await world().allocate();
      const logs = world().port.logDirectoryOf(world().cell);
      const script =
        "i=0; while [ $i -lt 20000 ]; do echo line number $i; i=$((i+1)); done; touch /tmp/full; while [ -e /tmp/full ]; do sleep 0.01; done; echo after";
      const log = { maxBytes: 1024 * 1024, keep: 1 };
      const exit = exitOf(warden, "u", () =>
        warden.start(unit("u", ["/bin/sh", "-c", script], { log }), deadline()),
      );
      const inside = `/proc/${String(warden.initPid)}/root/tmp/full`;
      await until("the unit has written all", () => exists(inside));
      linesOf(join(logs, "u.log")); // Whole ones, though the last write had no room for all of it.
      // Room again: what is there so far goes.
      writeFileSync(join(logs, "u.log"), "");
      execFileSync("rm", [inside]);
      expect((await exit).exit.code).toBe(0);
      const lines = linesOf(join(logs, "u.log"));
      const said = lines.find(({ stream }) => stream === "henge");
      expect(said?.text).toMatch(/^dropped \d+ lines: No space left on device$/);
      expect(lines.at(-1)?.text).toBe("after");
      warden.close();
      await (await world().newPort().adopt(deadline()))[0]?.free(deadline());
    } finally {
      execFileSync("umount", ["--lazy", state]); // A warden a failure left still writes there.
    }
  });

  it("goes on in the same file when the unit is started again", async () => {
    const warden = await world().allocate();
    for (const text of ["first", "second"]) {
      await exitOf(warden, "u", () => warden.start(unit("u", ["/bin/echo", text]), deadline()));
    }
    const lines = linesOf(join(world().port.logDirectoryOf(world().cell), "u.log"));
    expect(lines.map(({ text }) => text)).toEqual(["first", "second"]);
  });
});

function exists(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch {
    return false;
  }
}
