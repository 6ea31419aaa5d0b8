import { describe, expect, it } from "vitest";

import { parseEvent, parseState } from "../../../src/warden/state.js";

describe("a warden's events", () => {
  it("tell an exit, and whether memory had run out", () => {
    const at = { unit: "web", pid: 12, seq: 4 };
    expect(parseEvent(["exit", "web", "12", "9", "7", "4"])).toEqual({
      ...{ ...at, kind: "exit" },
      exit: { signal: "SIGKILL", atMs: 7 },
    });
    expect(parseEvent(["exit", "web", "12", "65545", "7", "4"])).toEqual({
      ...{ ...at, kind: "exit" },
      exit: { signal: "SIGKILL", outOfMemory: true, atMs: 7 },
    });
  });

  it("tell which run is ready; a warden of an older version knows one only", () => {
    expect(parseEvent(["ready", "web", "12"])).toEqual({ kind: "ready", unit: "web", pid: 12 });
    expect(parseEvent(["ready", "web"])).toEqual({ kind: "ready", unit: "web" });
    const status = { kind: "status", unit: "web", text: "half way" };
    expect(parseEvent(["status", "web", "half way", "12"])).toEqual({ ...status, pid: 12 });
    expect(parseEvent(["status", "web", "half way"])).toEqual(status);
  });

  it("tell kills and pressure; what a later warden tells is passed over", () => {
    expect(parseEvent(["oom", "3"])).toEqual({ kind: "oom", kills: 3 });
    expect(parseEvent(["pressure", "io", "12.34"])).toEqual({
      ...{ kind: "pressure", resource: "io", avg10: 12.34 },
    });
    expect(parseEvent(["pressure", "irq", "1.00"])).toBeUndefined();
    expect(parseEvent(["weather", "web"])).toBeUndefined();
  });
});

describe("a warden's state", () => {
  const head = ["cell", "shop", "warden", "1", "init", "2", "uid-base", "65536", "boundary", "{}"];

  it("has the kills where the kernel counts them, and none where it does not", () => {
    expect(parseState([...head, "oom", "2"]).oomKills).toBe(2);
    expect(parseState(head)).not.toHaveProperty("oomKills");
  });

  it("has two runs of one unit in one, the younger as the successor of the other", () => {
    const run = (pid: number, ...flags: readonly string[]): readonly string[] => [
      ...["unit", "web", "spec", "{}", "starts", "2", "exit", "256 9", "running", ""],
      ...["pid", String(pid), ...flags.flatMap((flag) => [flag, ""])],
    ];
    expect(parseState([...head, ...run(7, "stopping"), ...run(8, "notified")]).units).toEqual([
      {
        ...{ name: "web", spec: {}, restarts: 0, pid: 7, starts: 2, exit: { code: 1, atMs: 9 } },
        ...{ running: true, stopping: true, notified: false },
        successor: {
          ...{ spec: {}, restarts: 0, pid: 8 },
          ...{ running: true, stopping: false, notified: true },
        },
      },
    ]);
  });
});
