import { describe, expect, it } from "vitest";

import { DATA_NEED, RUN_NEED, judgeSpace } from "../../../../src/doctor/findings/space.js";
import type { Need } from "../../../../src/doctor/findings/space.js";

const MIB = 1024 * 1024;

function levelOf(need: Need, mib: number, freeInodes?: number): string {
  const room = { freeBytes: mib * MIB, ...(freeInodes === undefined ? {} : { freeInodes }) };
  return judgeSpace("state", "/var/lib/henge", room, need, "Make room.").level;
}

describe("judgeSpace", () => {
  it("looks at bytes", () => {
    expect(levelOf(DATA_NEED, 9000)).toBe("ok");
    expect(levelOf(DATA_NEED, 1000)).toBe("degraded");
    expect(levelOf(DATA_NEED, 10)).toBe("unfit");
  });

  it("looks at inodes where there is a number of them", () => {
    expect(levelOf(DATA_NEED, 9000, 1_000_000)).toBe("ok");
    expect(levelOf(DATA_NEED, 9000, 9_999)).toBe("degraded");
    expect(levelOf(DATA_NEED, 9000, 499)).toBe("unfit");
  });

  it("needs less of a directory in memory", () => {
    expect(levelOf(RUN_NEED, 100, 100_000)).toBe("ok");
    expect(levelOf(RUN_NEED, 10, 100_000)).toBe("degraded");
    expect(levelOf(RUN_NEED, 0, 100_000)).toBe("unfit");
  });

  it("says how much is left, and what to do when it is little", () => {
    const room = { freeBytes: 10 * MIB, freeInodes: 7 };
    expect(judgeSpace("logs", "/logs", room, DATA_NEED, "Make room.")).toEqual({
      check: "logs",
      level: "unfit",
      text: "10 MiB, 7 inodes free at /logs",
      hint: "Make room.",
    });
  });
});
