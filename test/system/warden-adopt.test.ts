import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { createWardenPort } from "../../src/warden/client.js";
import { fileNameOf } from "../../src/spec/index.js";
import type { WardenState } from "../../src/warden/port.js";
import { cell as cellSpec } from "../fixture/builders.js";
import { isRequired } from "../fixture/require.js";
import { BINARY, deadline, exitOf, isGone, unit, until, useWorld } from "./warden/fixture.js";

const SLEEP = ["/bin/sleep", "1000"];

const canTrace = isRequired("strace") || spawnSync("strace", ["-V"]).error === undefined;

/** A run grows older from one look to the next. */
function withoutAge(state: WardenState | undefined) {
  return { ...state, units: state?.units.map((seen) => ({ ...seen, ranForMs: undefined })) };
}

describe("a warden whose client is gone", () => {
  const world = useWorld();

  it("is adopted with the same pids, and tells what it was asked for", async () => {
    const first = await world().allocate();
    const spec = unit("u", SLEEP, { env: { SECRET: "a\nb=c" } });
    const { pid } = await first.start(spec, deadline());
    const before = await first.state(deadline());
    first.close();
    const [second] = await world().newPort().adopt(deadline());
    expect(second).toMatchObject({
      cell: world().cell,
      wardenPid: first.wardenPid,
      initPid: first.initPid,
    });
    const after = await second?.state(deadline());
    expect(withoutAge(after)).toEqual(withoutAge(before));
    expect(after?.units[0]).toMatchObject({ pid, running: true, spec });
    expect(after?.boundary).toEqual(world().request().boundary);
    second?.close();
  });

  it("keeps the exits that happened meanwhile", async () => {
    const first = await world().allocate();
    const exit = await exitOf(first, "a", () =>
      first.start(unit("a", ["/bin/sh", "-c", "exit 4"]), deadline()),
    );
    await first.start(unit("b", SLEEP), deadline());
    const { units } = await first.state(deadline());
    const pid = units.find(({ name }) => name === ("b" as typeof name))?.pid ?? 0;
    first.close();
    process.kill(pid, "SIGKILL");
    await until("it ended", () => isGone(pid));
    const [second] = await world().newPort().adopt(deadline());
    await until(
      "it is recorded",
      async () => (await second?.exitsSince(exit.seq, deadline()))?.length === 1,
    );
    const [missed] = (await second?.exitsSince(exit.seq, deadline())) ?? [];
    expect(missed).toMatchObject({
      unit: "b",
      pid,
      seq: exit.seq + 1,
      exit: { signal: "SIGKILL" },
    });
    second?.close();
  });

  it("serves several clients, and tells each what happens", async () => {
    const first = await world().allocate();
    const [second] = await world().newPort().adopt(deadline());
    if (second === undefined) throw new Error("not adopted");
    const exit = await exitOf(second, "u", () => first.start(unit("u", ["/bin/true"]), deadline()));
    expect(exit.exit.code).toBe(0);
    second.close();
  });

  it("is no one's warden any more when its pid, start time or boot differ", async () => {
    const warden = await world().allocate();
    const record = join(world().root, "run/cells", world().cell, "warden");
    const text = readFileSync(record, "utf8");
    for (const forged of [
      text.replace(/^boot .*/m, "boot other"),
      text.replace(/^(warden \d+) \d+/m, "$1 1"),
      "garbage",
    ]) {
      writeFileSync(record, forged);
      expect(await world().newPort().adopt(deadline())).toEqual([]);
      expect(await world().newPort().listLost()).toEqual([world().cell]);
    }
    writeFileSync(record, text);
    expect(await world().newPort().listLost()).toEqual([]);
    await warden.free(deadline());
  });

  it("leaves no directory behind when the daemon that had it freed was killed before it took that away", async () => {
    const directory = join(world().root, "run/cells", fileNameOf(world().cell));
    mkdirSync(directory, { recursive: true });
    const port = world().newPort();
    expect(await port.adopt(deadline())).toEqual([]);
    expect(existsSync(directory)).toBe(false);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, "somebody's"), "");
    expect(await port.adopt(deadline())).toEqual([]);
    expect(existsSync(directory)).toBe(true);
  });

  it("is lost within a second of being killed, and can be forgotten", async () => {
    const warden = await world().allocate();
    const { pid } = await warden.start(unit("u", SLEEP), deadline());
    const lost = new Promise<void>((resume) => {
      warden.onEvent((event) => {
        if (event.kind === "lost") resume();
      });
    });
    const begin = Date.now();
    process.kill(warden.wardenPid, "SIGKILL");
    await lost;
    expect(Date.now() - begin).toBeLessThan(1000);
    expect(isGone(pid)).toBe(false);
    const port = world().newPort();
    expect(await port.adopt(deadline())).toEqual([]);
    expect(await port.listLost()).toEqual([world().cell]);
    const late: string[] = [];
    warden.onEvent((event) => late.push(event.kind));
    expect(late).toEqual(["lost"]);
    await port.forget(world().cell);
    expect(await port.listLost()).toEqual([]);
    writeFileSync(join(world().cgroup, "cgroup.kill"), "1");
    await until("the unit is gone", () => isGone(pid));
  });
});

describe("the records of a cell", () => {
  const world = useWorld();

  it("number exits on across allocations, also after a torn line", async () => {
    const exits = join(world().root, "state/cells", world().cell, "exits");
    const seqs: number[] = [];
    for (let round = 0; round < 3; round++) {
      const warden = await world().allocate();
      const { seq } = await exitOf(warden, "u", () =>
        warden.start(unit("u", ["/bin/true"]), deadline()),
      );
      seqs.push(seq);
      expect((await warden.exitsSince(0, deadline())).map((event) => event.seq)).toEqual(seqs);
      await warden.free(deadline());
      appendFileSync(exits, "99 torn");
    }
    expect(seqs).toEqual([1, 2, 3]);
  });

  it.skipIf(!canTrace)("have every exit on disk before it is told (needs strace)", async () => {
    const warden = await world().allocate();
    const trace = join(world().root, "trace");
    const tracer = spawn("strace", [
      "-e",
      "trace=fdatasync,sendto,write",
      "-o",
      trace,
      "-p",
      String(warden.wardenPid),
    ]);
    await until("it is traced", () =>
      /TracerPid:\t[1-9]/.test(readFileSync(`/proc/${String(warden.wardenPid)}/status`, "utf8")),
    );
    await exitOf(warden, "u", () =>
      warden.start(unit("u", ["/bin/sh", "-c", "exit 9"]), deadline()),
    );
    tracer.kill("SIGINT");
    await new Promise((resume) => tracer.once("exit", resume));
    const calls = readFileSync(trace, "utf8").split("\n");
    const [written, synced, told] = [
      /^write\(\d+, "1 u \d+ 2304/,
      /^fdatasync\(\d+\) *= 0/,
      /^sendto\(.*exit\\0u/,
    ].map((call) => calls.findIndex((line) => call.test(line)));
    expect([written, synced, told].sort((a = 0, b = 0) => a - b)).toEqual([written, synced, told]);
    expect(written).toBeGreaterThanOrEqual(0);
  });

  it("refuse a second warden for the same cell", async () => {
    await world().allocate();
    await expect(world().newPort().allocate(world().request(), deadline())).rejects.toMatchObject({
      op: "lock",
      errno: "EBUSY",
    });
    expect(await world().newPort().listLost()).toEqual([]);
  });

  it("refuse a socket path that is too long, in words", async () => {
    const runDirectory = join(world().root, "x".repeat(90));
    const port = createWardenPort({
      binary: BINARY,
      runDirectory,
      stateDirectory: world().root,
      bootId: "b",
    });
    const { cell: name, boundary } = world().request();
    const cell = { ...cellSpec(name), boundary };
    for (const refused of [
      port.allocate(world().request(), deadline()),
      port.foresee({ root: "host", cell, units: [], isNew: true }),
    ])
      await expect(refused).rejects.toMatchObject({
        errno: "ENAMETOOLONG",
        hint: expect.stringContaining("107") as string,
      });
  });
});

describe("the warden's program", () => {
  const world = useWorld();

  it("runs from a sealed copy, out of reach of the file on disk", async () => {
    const warden = await world().allocate();
    const before = execFileSync("sha256sum", [BINARY], { encoding: "utf8" });
    for (const pid of [warden.wardenPid, warden.initPid]) {
      expect(() => {
        writeFileSync(`/proc/${String(pid)}/exe`, "overwritten", { flag: "r+" });
      }).toThrow(/ETXTBSY|EPERM/);
    }
    const link = execFileSync("readlink", [`/proc/${String(warden.wardenPid)}/exe`], {
      encoding: "utf8",
    });
    expect(link).toContain("memfd:henge-warden");
    expect(execFileSync("sha256sum", [BINARY], { encoding: "utf8" })).toBe(before);
  });

  it("lives on after garbage on its socket", async () => {
    const warden = await world().allocate();
    const path = join(world().root, "run/cells", world().cell, "warden.sock");
    const garbage = [
      Buffer.from("GET / HTTP/1.1\r\n\r\n"),
      Buffer.from([0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0]),
      Buffer.from([5, 0, 0, 0, 1, 1, 0, 0, 0]),
      Buffer.from([8, 0, 0, 0, 1, 1, 0, 0, 0, 0x61, 0x62, 0x63]),
      Buffer.from([9, 0, 0, 0, 6, 1, 0, 0, 0, 0x61, 0x72, 0x67, 0]),
      Buffer.from([5, 0, 0, 0, 99, 1, 0, 0, 0]),
    ];
    for (const bytes of garbage) {
      await new Promise<void>((resume) => {
        const socket = connect(path, () => socket.end(bytes));
        socket
          .on("error", () => undefined)
          .on("close", resume)
          .resume();
      });
    }
    expect((await warden.state(deadline())).wardenPid).toBe(warden.wardenPid);
  });

  it("costs an idle cell less than 0.2 MiB", async () => {
    const warden = await world().allocate();
    await warden.start(unit("u", SLEEP), deadline());
    const pss = [warden.wardenPid, warden.initPid].map((pid) => {
      const text = readFileSync(`/proc/${String(pid)}/smaps_rollup`, "utf8");
      return Number(/^Pss: +(\d+)/m.exec(text)?.[1]);
    });
    expect((pss[0] ?? 0) + (pss[1] ?? 0)).toBeLessThan(205);
    expect(readdirSync(`/proc/${String(warden.initPid)}/fd`)).toEqual([]);
  });
});
