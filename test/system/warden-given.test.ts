// What a unit finds itself with when it is started in a cell: its environment, descriptors, rights and limits.

import { writeFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import type { UnitSpec } from "../../src/spec/index.js";
import { output, useWorld } from "./warden/fixture.js";

describe("what a unit is given", () => {
  const world = useWorld();

  async function lines(script: string, change: Partial<UnitSpec> = {}) {
    return await output(world(), await world().allocate(), script, change);
  }

  it("is exactly its environment", async () => {
    process.env["HENGE_LEAK"] = "leaked";
    expect((await lines("env -u _", { env: { A: "x y\nz" }, user: "nobody" })).sort()).toEqual(
      [
        ...[
          "A=x y",
          "z",
          "HOME=/nonexistent",
          "LOGNAME=nobody",
          "USER=nobody",
          "PWD=/",
          "SHELL=/usr/sbin/nologin",
        ],
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      ].sort(),
    );
    delete process.env["HENGE_LEAK"];
  });

  it("is its working directory, as PWD too", async () => {
    expect(await lines("pwd; echo $PWD", { cwd: "/usr/bin" })).toEqual(["/usr/bin", "/usr/bin"]);
  });

  it("is no descriptor but the three", async () => {
    expect(await lines("ls /proc/$$/fd")).toEqual(["0", "1", "2"]);
  });

  it("is no capability at all unless it is root, and then seven", async () => {
    const script = "grep -E '^(Cap|NoNewPrivs)' /proc/self/status | tr -s '\\t' ' '";
    const zero = "0000000000000000";
    expect(await lines(script, { user: "nobody" })).toEqual([
      ...["Inh", "Prm", "Eff", "Bnd", "Amb"].map((set) => `Cap${set}: ${zero}`),
      "NoNewPrivs: 1",
    ]);
  });

  it("is seven capabilities when it is root", async () => {
    const [prm, bnd] = await lines("grep -E '^Cap(Prm|Bnd)' /proc/self/status | cut -f2");
    expect([prm, bnd]).toEqual(["00000000000000fb", "00000000000000fb"]);
  });

  it("is limits of its own, and no core dump", async () => {
    expect(
      await lines("ulimit -n; cat /proc/self/oom_score_adj; grep core /proc/self/limits", {
        nofile: 4096,
      }),
    ).toEqual(["4096", "0", expect.stringMatching(/^Max core file size +1 +1 +bytes/)]);
  });

  it("is a session keyring of its own, that no other unit has", async () => {
    const warden = await world().allocate();
    const serial = () => output(world(), warden, `perl -e 'print syscall(250, 0, -3, 0)'`);
    const [first, second] = [await serial(), await serial()];
    expect([first.join(), second.join()]).toEqual([
      expect.stringMatching(/^[1-9]\d*$/),
      expect.stringMatching(/^[1-9]\d*$/),
    ]);
    expect(second).not.toEqual(first);
  });

  it("is no other place in the line for the out-of-memory killer than everyone's", async () => {
    writeFileSync("/proc/self/oom_score_adj", "500");
    try {
      expect(await lines("cat /proc/self/oom_score_adj")).toEqual(["0"]);
    } finally {
      writeFileSync("/proc/self/oom_score_adj", "0");
    }
  });

  it("is no sight of other users' processes", async () => {
    const script = "set -- /proc/[0-9]*; echo $#; ls /proc/1 2>&1";
    expect(await lines(script, { user: "nobody" })).toEqual([
      "1", // The shell.
      expect.stringMatching(/No such file/),
    ]);
  });

  it("is default signals and an empty mask", async () => {
    const script = "grep -E '^Sig(Blk|Ign)' /proc/self/status | cut -f2";
    expect(await lines(script)).toEqual(["0000000000000000", "0000000000000000"]);
  });

  it("is outputs it can open anew as its own user", async () => {
    expect(await lines("echo again > /dev/stdout", { user: "nobody" })).toEqual(["again"]);
  });
});
