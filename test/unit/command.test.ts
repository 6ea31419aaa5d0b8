// Needs no root: what it runs is a shell.

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import { runCommand } from "../../src/command.js";
import { temporaryDirectory } from "../fixture/directory.js";

it("has seen its program end when it says that it was aborted", async () => {
  const file = join(await temporaryDirectory(), "pid");
  const stop = new AbortController();
  const command = runCommand(
    ["sh", "-c", `echo $$ >${file}.new; mv ${file}.new ${file}; exec sleep 60`],
    {
      signal: stop.signal,
    },
  );
  const pid = await expect
    .poll(() => readFile(file, "utf8").catch(() => ""), { timeout: 5_000 })
    .toMatch(/\d/)
    .then(() => readFile(file, "utf8"));
  stop.abort(new Error("somebody else is asked for"));
  await expect(command).rejects.toThrow("somebody else is asked for");
  expect(() => process.kill(Number(pid), 0)).toThrow("ESRCH");
});

it("runs nothing when it is aborted already", async () => {
  const file = join(await temporaryDirectory(), "file");
  const command = runCommand(["touch", file], { signal: AbortSignal.abort(new Error("no")) });
  await expect(command).rejects.toThrow("no");
  await expect(readFile(file)).rejects.toThrow("ENOENT");
});

it("ends a tool that takes too long", async () => {
  await expect(runCommand(["sleep", "60"], { timeoutMs: 50 })).rejects.toMatchObject({
    code: "DEADLINE",
    message: "cannot run sleep 60: no end after 50 ms",
  });
});

it("has tools tell times in UTC", async () => {
  expect(await runCommand(["date", "+%Z"])).toBe("UTC\n");
});
