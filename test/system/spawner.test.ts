// The daemon's small process that runs tools and starts wardens in its place.

import { execFileSync } from "node:child_process";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";

import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import type { Run } from "../../src/command.js";
import { runBySpawner, createSpawner } from "../../src/warden/spawner.js";
import type { Spawner } from "../../src/warden/spawner.js";
import { temporaryDirectory } from "../fixture/directory.js";
import { HELPER } from "./warden/fixture.js";
import { dial, hear, startSpawner, withLength } from "./warden/spawner.js";

const never: Run = (argv) => Promise.reject(new Error(`${argv.join(" ")} was run by the daemon`));

let directory: string;
let spawner: Spawner;
let run: Run;
beforeEach(async () => {
  directory = await temporaryDirectory();
  spawner = createSpawner(HELPER, join(directory, "s"));
  onTestFinished(() => {
    spawner.close();
  });
  run = runBySpawner(spawner, never);
});

/** Whose first word is `file`. */
async function pidIn(file: string): Promise<number> {
  await expect.poll(() => readFile(file, "utf8").catch(() => ""), { timeout: 5_000 }).toMatch(/\n/);
  return Number(await readFile(file, "utf8"));
}

async function isGone(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${String(pid)}/stat`, "utf8").catch(() => undefined);
  return stat === undefined || stat.split(" ")[2] === "Z";
}

describe("a tool run by the spawner", () => {
  it("gets its input and arguments, and its output comes back whole", async () => {
    expect(await run(["/bin/cat"], { input: "ü\nlast" })).toBe("ü\nlast");
    expect(await run(["printf", "%s.", "a b", "", "c"])).toBe("a b..c.");
    const large = await run(["head", "-c", "3000000", "/dev/zero"]);
    expect(large).toHaveLength(3_000_000);
    expect(await run(["true"])).toBe("");
  });

  it("has the tools' environment and no other, nothing to write to but its output, and root's umask", async () => {
    const said = await run(["sh", "-c", "env; umask; pwd; echo; ls -l /proc/self/fd"]);
    expect(said).toContain("LC_ALL=C\n");
    expect(said).not.toMatch(/VITEST|HOME=/);
    expect(said).not.toMatch(/socket|pipe/);
    expect(said).toContain("\n/\n");
  });

  it.each([
    [
      "its status and what it said",
      ["sh", "-c", "echo no such pool >&2; exit 3"],
      3,
      /no such pool/,
    ],
    ["the signal that ended it", ["sh", "-c", "kill -TERM $$"], "SIGTERM", /SIGTERM/],
    ["why it is not there", ["/no/such/tool"], "ENOENT", /ENOENT/],
  ] as const)("fails with %s", async (_, argv, exit, message) => {
    const failed = run([...argv] as [string, ...string[]]);
    await expect(failed).rejects.toMatchObject({ exit });
    await expect(failed).rejects.toThrow(message);
  });

  it("may not fill the memory with what it says", async () => {
    await expect(run(["head", "-c", "17000000", "/dev/zero"])).rejects.toMatchObject({ exit: 1 });
  });

  it("is gone, with what it has started, when it is cancelled or too slow", async () => {
    const file = join(directory, "pid");
    const stop = new AbortController();
    const tool: [string, ...string[]] = ["sh", "-c", `sleep 60 & echo $! >${file}; wait`];
    const cancelled = run(tool, { signal: stop.signal });
    const failed = expect(cancelled).rejects.toThrow("somebody else is asked for");
    const pid = await pidIn(file);
    stop.abort(new Error("somebody else is asked for"));
    await failed;
    await expect.poll(() => isGone(pid)).toBe(true);
    await expect(run(["sleep", "60"], { timeoutMs: 100 })).rejects.toMatchObject({
      code: "DEADLINE",
      message: "cannot run sleep 60: no end after 100 ms",
    });
  });

  it("is run by another spawner when that has been killed", async () => {
    expect(await run(["echo", "one"])).toBe("one\n");
    const killed = await findChild();
    process.kill(killed, "SIGKILL");
    await expect.poll(() => isGone(killed)).toBe(true);
    await expect.poll(() => run(["echo", "two"]).catch(() => "")).toBe("two\n");
  });
});

it("ends with the daemon", async () => {
  await spawner.socket();
  const pid = await findChild();
  spawner.close();
  await expect.poll(() => isGone(pid)).toBe(true);
});

it("is not what a sandboxed daemon reaches: systemd's spawner runs no tool", async () => {
  const passed = await startSpawner(directory);
  const file = join(directory, "made");
  const socket = await dial(passed);
  socket.write(withLength(["run", "", "touch", file].map((text) => `${text}\0`).join("")));
  expect((await hear(socket))[0]).toBe("failed");
  expect(await readdir(directory)).not.toContain("made");
});

/** The spawner of this test: it listens at `s` of its directory. */
function findChild(): Promise<number> {
  const said = execFileSync("pgrep", ["-f", "--", `--spawner ${join(directory, "s")}`], {
    encoding: "utf8",
  });
  return Promise.resolve(Number(said.split("\n")[0]));
}
