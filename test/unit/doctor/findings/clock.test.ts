import { describe, expect, it } from "vitest";

import { judgeClock } from "../../../../src/doctor/findings/clock.js";

const NOW = Date.UTC(2026, 10, 26);

describe("judgeClock", () => {
  it("tells offset and error of a clock that is kept set", () => {
    const detail = "unsync=0 offset_us=-1500 maxerror_us=31000";
    expect(judgeClock(NOW, { detail })).toEqual({
      check: "clock",
      level: "ok",
      text: "2026-11-26T00:00:00.000Z, kept set, offset -1.5 ms, at most 31.0 ms wrong",
    });
  });

  it.each([
    ["nothing keeps it set", NOW, { detail: "unsync=1 offset_us=0 maxerror_us=16000000" }],
    ["1000.1 ms wrong", NOW, { detail: "unsync=0 offset_us=0 maxerror_us=1000100" }],
    ["it is not 1970", 0, { detail: "unsync=0 offset_us=0 maxerror_us=1" }],
    ["EPERM", NOW, { errno: "EPERM", detail: "" }],
    ["cannot tell", NOW, { detail: "nonsense" }],
  ])("is degraded, and says how to keep it set: %s", (text, nowMs, probed) => {
    const finding = judgeClock(nowMs, probed);
    expect(finding.level).toBe("degraded");
    expect(finding.text).toContain(text);
    expect(finding.hint).toContain("systemd-timesyncd");
  });

  it("tells the time alone when nothing could be asked", () => {
    expect(judgeClock(NOW, undefined).level).toBe("ok");
  });
});
